# SlowOnly R50, 8x8: an image network with convolutions over time in its last two stages. Architecture of MMAction2's
# slowonly_r50 8x8 configs.
preset = dict(
    summary='32 M parameters, 55 GFLOPs a view: few frames, far apart',
    paper='https://arxiv.org/abs/1812.03982',
    licence='Apache-2.0 (code and weights); Kinetics has terms of its own',
    weights=dict(
        kinetics400=dict(
            url='https://download.openmmlab.com/mmaction/v1.0/recognition/slowonly/'
            'slowonly_imagenet-pretrained-r50_8xb16-8x8x1-steplr-150e_kinetics400-rgb/'
            'slowonly_imagenet-pretrained-r50_8xb16-8x8x1-steplr-150e_kinetics400-rgb_20220901-df42dc84.pth',
            trained_on='Kinetics-400, after ImageNet',
            num_classes=400,
            top1=0.7596,
            source='MMAction2 model index'),
        kinetics700=dict(
            url='https://download.openmmlab.com/mmaction/v1.0/recognition/slowonly/'
            'slowonly_imagenet-pretrained-r50_8xb16-8x8x1-steplr-150e_kinetics700-rgb/'
            'slowonly_imagenet-pretrained-r50_16xb16-8x8x1-steplr-150e_kinetics700-rgb_20220901-4098e1eb.pth',
            trained_on='Kinetics-700, after ImageNet',
            num_classes=700,
            top1=0.6693,
            source='MMAction2 model index'),
        kinetics710=dict(
            url='https://download.openmmlab.com/mmaction/v1.0/recognition/slowonly/'
            'slowonly_imagenet-pretrained-r50_32xb8-8x8x1-steplr-150e_kinetics710-rgb/'
            'slowonly_imagenet-pretrained-r50_32xb8-8x8x1-steplr-150e_kinetics710-rgb_20230612-12ce977c.pth',
            trained_on='Kinetics-710, after ImageNet',
            num_classes=710,
            top1=0.7239,
            source='MMAction2 model index')),
    default_weights='kinetics400',
    num_parameters=32454096,
    reference_num_classes=400,
    flops=54.75e9 * (224 / 256)**2,
    flops_source='published: MMAction2 model index, of 256 x 256 pixels',
    clip_len=8,
    clip_seconds=8 * 8 / 30,
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
    activation_gib=0.641,
    optimizer='sgd',
    clip_grad=40.0,
    batch_norm=True,
)
model = dict(
    type='Recognizer3D',
    backbone=dict(
        type='ResNet3dSlowOnly',
        depth=50,
        # Building a model downloads nothing: weights come through `model.load_from`.
        pretrained=None,
        lateral=False,
        conv1_kernel=(1, 7, 7),
        conv1_stride_t=1,
        pool1_stride_t=1,
        inflate=(0, 0, 1, 1),
        norm_eval=False,
        pretrained2d=False),
    data_preprocessor=dict(
        type='ActionDataPreprocessor',
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        format_shape='NCTHW'),
    cls_head=dict(
        type='I3DHead',
        in_channels=2048,
        num_classes=400,
        spatial_type='avg',
        dropout_ratio=0.5,
        average_clips='prob'))
