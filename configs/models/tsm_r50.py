# TSM R50: an image network that shifts an eighth of its features to the frame before and an eighth to the one after.
# Architecture of MMAction2's tsm_imagenet-pretrained-r50 16-segment config, whose figures are of ten crops.
preset = dict(
    summary='24 M parameters, 66 GFLOPs a view: motion at the price of an image network',
    paper='https://arxiv.org/abs/1811.08383',
    licence='Apache-2.0 (code and weights); Kinetics has terms of its own',
    weights=dict(
        kinetics400=dict(
            url='https://download.openmmlab.com/mmaction/v1.0/recognition/tsm/'
            'tsm_imagenet-pretrained-r50_8xb16-1x1x16-50e_kinetics400-rgb/'
            'tsm_imagenet-pretrained-r50_8xb16-1x1x16-50e_kinetics400-rgb_20220831-042b1748.pth',
            trained_on='Kinetics-400, after ImageNet',
            num_classes=400,
            top1=0.7512,
            source='MMAction2 model index')),
    default_weights='kinetics400',
    num_parameters=24327632,
    reference_num_classes=400,
    flops=65.75e9,
    flops_source='published: MMAction2 model index',
    clip_len=16,
    clip_seconds=10.0,
    clip_len_multiple=1,
    input_size=224,
    base_learning_rate=0.01,
    base_total_batch_size=64,
    weight_decay=0.0001,
    backbone_lr_mult=0.1,
    epochs=30,
    min_steps=1000,
    warmup_epochs=2.5,
    test_num_clips=2,
    test_num_crops=3,
    min_crop_area=0.5,
    activation_gib=1.62,
    sampling='segments',
    optimizer='sgd',
    clip_grad=20.0,
    batch_norm=True,
)
model = dict(
    type='Recognizer2D',
    backbone=dict(
        type='ResNetTSM',
        # Building a model downloads nothing: weights come through `model.load_from`.
        pretrained=None,
        depth=50,
        norm_eval=False,
        shift_div=8,
        num_segments=16,
        pretrained2d=False),
    data_preprocessor=dict(
        type='ActionDataPreprocessor',
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        format_shape='NCHW'),
    cls_head=dict(
        type='TSMHead',
        num_classes=400,
        in_channels=2048,
        spatial_type='avg',
        consensus=dict(type='AvgConsensus', dim=1),
        dropout_ratio=0.5,
        init_std=0.001,
        is_shift=True,
        average_clips='prob',
        num_segments=16))
