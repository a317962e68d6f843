# R(2+1)D-34, 32x2: each convolution over space and time is one over space and one over time. Architecture of
# MMAction2's r2plus1d_r34 32x2 config; its synchronised batch norm is a plain one here, which a single process and a CPU need.
preset = dict(
    summary='64 M parameters, 213 GFLOPs a view: space and time apart',
    paper='https://arxiv.org/abs/1711.11248',
    licence='Apache-2.0 (code and weights); Kinetics has terms of its own',
    weights=dict(
        kinetics400=dict(
            url='https://download.openmmlab.com/mmaction/v1.0/recognition/r2plus1d/'
            'r2plus1d_r34_8xb8-32x2x1-180e_kinetics400-rgb/'
            'r2plus1d_r34_8xb8-32x2x1-180e_kinetics400-rgb_20220812-4270588c.pth',
            trained_on='Kinetics-400',
            num_classes=400,
            top1=0.7546,
            source='MMAction2 model index')),
    default_weights='kinetics400',
    num_parameters=63759281,
    reference_num_classes=400,
    flops=213e9 * (224 / 256)**2,
    flops_source='published: MMAction2 model index, of 256 x 256 pixels',
    clip_len=32,
    clip_seconds=32 * 2 / 30,
    clip_len_multiple=1,
    input_size=224,
    base_learning_rate=0.01,
    base_total_batch_size=64,
    weight_decay=0.0001,
    backbone_lr_mult=0.1,
    epochs=30,
    min_steps=1000,
    warmup_epochs=2.5,
    test_num_clips=10,
    test_num_crops=3,
    min_crop_area=0.08,
    activation_gib=1.95,
    optimizer='sgd',
    clip_grad=40.0,
    batch_norm=True,
)
model = dict(
    type='Recognizer3D',
    backbone=dict(
        type='ResNet2Plus1d',
        depth=34,
        # Building a model downloads nothing: weights come through `model.load_from`.
        pretrained=None,
        pretrained2d=False,
        norm_eval=False,
        conv_cfg=dict(type='Conv2plus1d'),
        norm_cfg=dict(type='BN3d', requires_grad=True, eps=0.001),
        conv1_kernel=(3, 7, 7),
        conv1_stride_t=1,
        pool1_stride_t=1,
        inflate=(1, 1, 1, 1),
        spatial_strides=(1, 2, 2, 2),
        temporal_strides=(1, 2, 2, 2),
        zero_init_residual=False),
    data_preprocessor=dict(
        type='ActionDataPreprocessor',
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        format_shape='NCTHW'),
    cls_head=dict(
        type='I3DHead',
        num_classes=400,
        in_channels=512,
        spatial_type='avg',
        dropout_ratio=0.5,
        init_std=0.01,
        average_clips='prob'))
