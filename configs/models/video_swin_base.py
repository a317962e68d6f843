# Video Swin-B: what the original tool trained. Architecture and recipe of MMAction2's swin-base configs.
preset = dict(
    summary='88 M parameters, 282 GFLOPs a view: what the original tool trained',
    paper='https://arxiv.org/abs/2106.13230',
    licence='Apache-2.0 (code and weights); Kinetics has terms of its own',
    weights=dict(
        kinetics400=dict(
            url='https://download.openmmlab.com/mmaction/v1.0/recognition/swin/'
            'swin-base-p244-w877_in1k-pre_8xb8-amp-32x2x1-30e_kinetics400-rgb/'
            'swin-base-p244-w877_in1k-pre_8xb8-amp-32x2x1-30e_kinetics400-rgb_20220930-182ec6cc.pth',
            trained_on='Kinetics-400, after ImageNet-1K',
            num_classes=400,
            top1=0.8057,
            source='MMAction2 model index'),
        kinetics600=dict(
            # The original tool's file. Its older key layout is converted on load; its name carries no checksum.
            url='https://github.com/SwinTransformer/storage/releases/download/v1.0.4/'
            'swin_base_patch244_window877_kinetics600_22k.pth',
            trained_on='Kinetics-600, after ImageNet-22K',
            num_classes=600,
            top1=0.84,
            source='Video-Swin-Transformer model zoo')),
    default_weights='kinetics400',
    num_parameters=88048984,
    reference_num_classes=400,
    flops=282e9,
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
    activation_gib=5.38,
    gpu_levels=dict(balanced=40, best=16),
)
model = dict(
    type='Recognizer3D',
    backbone=dict(
        type='SwinTransformer3D',
        arch='base',
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
        drop_path_rate=0.3,
        patch_norm=True),
    data_preprocessor=dict(
        type='ActionDataPreprocessor',
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        format_shape='NCTHW'),
    cls_head=dict(
        type='I3DHead',
        in_channels=1024,
        num_classes=400,
        spatial_type='avg',
        dropout_ratio=0.5,
        average_clips='prob'))
