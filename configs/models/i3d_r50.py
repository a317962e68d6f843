# I3D R50, 32x2, without a stride over time before the first stage: the plain I3D of MMAction2 that scores best
# (i3d_imagenet-pretrained-r50-heavy).
preset = dict(
    summary='33 M parameters, 166 GFLOPs a view: convolutions over space and time throughout',
    paper='https://arxiv.org/abs/1705.07750',
    licence='Apache-2.0 (code and weights); Kinetics has terms of its own',
    weights=dict(
        kinetics400=dict(
            url='https://download.openmmlab.com/mmaction/v1.0/recognition/i3d/'
            'i3d_imagenet-pretrained-r50-heavy_8xb8-32x2x1-100e_kinetics400-rgb/'
            'i3d_imagenet-pretrained-r50-heavy_8xb8-32x2x1-100e_kinetics400-rgb_20220812-ed501b31.pth',
            trained_on='Kinetics-400, after ImageNet',
            num_classes=400,
            top1=0.7621,
            source='MMAction2 model index')),
    default_weights='kinetics400',
    num_parameters=33024208,
    reference_num_classes=400,
    flops=166.3e9 * (224 / 256)**2,
    flops_source='published: MMAction2 model index, of 256 x 256 pixels',
    clip_len=32,
    clip_seconds=32 * 2 / 30,
    clip_len_multiple=2,
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
    min_crop_area=0.5,
    activation_gib=2.05,
    optimizer='sgd',
    clip_grad=40.0,
    batch_norm=True,
)
model = dict(
    type='Recognizer3D',
    backbone=dict(
        type='ResNet3d',
        pretrained2d=False,
        # Building a model downloads nothing: weights come through `model.load_from`.
        pretrained=None,
        depth=50,
        conv1_kernel=(5, 7, 7),
        conv1_stride_t=1,
        pool1_stride_t=1,
        conv_cfg=dict(type='Conv3d'),
        norm_eval=False,
        inflate=(1, 1, 1, 1),
        zero_init_residual=False,
        with_pool2=True),
    data_preprocessor=dict(
        type='ActionDataPreprocessor',
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        format_shape='NCTHW'),
    cls_head=dict(
        type='I3DHead',
        num_classes=400,
        in_channels=2048,
        spatial_type='avg',
        dropout_ratio=0.5,
        init_std=0.01,
        average_clips='prob'))
