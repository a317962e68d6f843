# Video Swin-S: twice as deep as tiny. Architecture and recipe of MMAction2's swin-small configs.
preset = dict(
    summary='50 M parameters, 166 GFLOPs a view: twice as deep as tiny',
    paper='https://arxiv.org/abs/2106.13230',
    licence='Apache-2.0 (code and weights); Kinetics has terms of its own',
    weights=dict(
        kinetics400=dict(
            url='https://download.openmmlab.com/mmaction/v1.0/recognition/swin/'
            'swin-small-p244-w877_in1k-pre_8xb8-amp-32x2x1-30e_kinetics400-rgb/'
            'swin-small-p244-w877_in1k-pre_8xb8-amp-32x2x1-30e_kinetics400-rgb_20220930-e91ab986.pth',
            trained_on='Kinetics-400, after ImageNet-1K',
            num_classes=400,
            top1=0.8054,
            source='MMAction2 model index'),
        kinetics710=dict(
            url='https://download.openmmlab.com/mmaction/v1.0/recognition/swin/'
            'swin-small-p244-w877_in1k-pre_32xb4-amp-32x2x1-30e_kinetics710-rgb/'
            'swin-small-p244-w877_in1k-pre_32xb4-amp-32x2x1-30e_kinetics710-rgb_20230612-8e082ff1.pth',
            trained_on='Kinetics-710, after ImageNet-1K',
            num_classes=710,
            top1=0.769,
            source='MMAction2 model index')),
    default_weights='kinetics400',
    num_parameters=49816678,
    reference_num_classes=400,
    flops=166e9,
    flops_source='published: MMAction2 model index',
    clip_len=32,
    clip_seconds=32 * 2 / 30,
    clip_len_multiple=2,
    input_size=224,
    base_learning_rate=1e-3,
    base_total_batch_size=64,
    weight_decay=0.02,
    backbone_lr_mult=0.1,
    epochs=30,
    min_steps=1000,
    warmup_epochs=2.5,
    test_num_clips=4,
    test_num_crops=3,
    min_crop_area=0.08,
    activation_gib=4.04,
    gpu_levels=dict(balanced=22, best=10),
)
model = dict(
    type='Recognizer3D',
    backbone=dict(
        type='SwinTransformer3D',
        arch='small',
        # Building a model downloads nothing: weights come through `model.load_from`.
        pretrained=None,
        pretrained2d=False,
        patch_size=(2, 4, 4),
        window_size=(8, 7, 7),
        mlp_ratio=4.0,
        qkv_bias=True,
        qk_scale=None,
        drop_rate=0.0,
        attn_drop_rate=0.0,
        drop_path_rate=0.2,
        patch_norm=True),
    data_preprocessor=dict(
        type='ActionDataPreprocessor',
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        format_shape='NCTHW'),
    cls_head=dict(
        type='I3DHead',
        in_channels=768,
        num_classes=400,
        spatial_type='avg',
        dropout_ratio=0.5,
        average_clips='prob'))
