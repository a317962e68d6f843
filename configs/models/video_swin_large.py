# Video Swin-L: the most accurate, for the largest GPUs. Architecture and recipe of MMAction2's swin-large configs.
preset = dict(
    summary='197 M parameters, 604 GFLOPs a view: the most accurate, for the largest GPUs',
    paper='https://arxiv.org/abs/2106.13230',
    licence='Apache-2.0 (code and weights); Kinetics has terms of its own',
    weights=dict(
        kinetics400=dict(
            url='https://download.openmmlab.com/mmaction/v1.0/recognition/swin/'
            'swin-large-p244-w877_in22k-pre_8xb8-amp-32x2x1-30e_kinetics400-rgb/'
            'swin-large-p244-w877_in22k-pre_8xb8-amp-32x2x1-30e_kinetics400-rgb_20220930-78ad8b11.pth',
            trained_on='Kinetics-400, after ImageNet-22K',
            num_classes=400,
            top1=0.8346,
            source='MMAction2 model index'),
        kinetics700=dict(
            url='https://download.openmmlab.com/mmaction/v1.0/recognition/swin/'
            'swin-large-p244-w877_in22k-pre_16xb8-amp-32x2x1-30e_kinetics700-rgb/'
            'swin-large-p244-w877_in22k-pre_16xb8-amp-32x2x1-30e_kinetics700-rgb_20220930-f8d74db7.pth',
            trained_on='Kinetics-700, after ImageNet-22K',
            num_classes=700,
            top1=0.7592,
            source='MMAction2 model index')),
    default_weights='kinetics400',
    num_parameters=196953916,
    reference_num_classes=400,
    flops=604e9,
    flops_source='published: MMAction2 model index',
    clip_len=32,
    clip_seconds=32 * 2 / 30,
    clip_len_multiple=2,
    input_size=224,
    base_learning_rate=1e-3,
    base_total_batch_size=64,
    weight_decay=0.05,
    backbone_lr_mult=0.1,
    epochs=30,
    min_steps=1000,
    warmup_epochs=2.5,
    test_num_clips=4,
    test_num_crops=3,
    min_crop_area=0.08,
    activation_gib=8.05,
    gpu_levels=dict(best=24),
)
model = dict(
    type='Recognizer3D',
    backbone=dict(
        type='SwinTransformer3D',
        arch='large',
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
        drop_path_rate=0.4,
        patch_norm=True),
    data_preprocessor=dict(
        type='ActionDataPreprocessor',
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        format_shape='NCTHW'),
    cls_head=dict(
        type='I3DHead',
        in_channels=1536,
        num_classes=400,
        spatial_type='avg',
        dropout_ratio=0.5,
        average_clips='prob'))
