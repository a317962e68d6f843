# TSM on MobileNetV2: an image network whose features are shifted between the frames. Architecture of MMAction2's
# tsm_imagenet-pretrained-mobilenetv2 config, whose weights stand on TSM's page and not in the index.
preset = dict(
    summary='2.7 M parameters, 2.4 GFLOPs a view: light enough to fine-tune on a CPU',
    paper='https://arxiv.org/abs/1811.08383',
    licence='Apache-2.0 (code and weights); Kinetics has terms of its own',
    weights=dict(
        kinetics400=dict(
            url='https://download.openmmlab.com/mmaction/v1.0/recognition/tsm/'
            'tsm_imagenet-pretrained-mobilenetv2_8xb16-1x1x8-100e_kinetics400-rgb/'
            'tsm_imagenet-pretrained-mobilenetv2_8xb16-1x1x8-100e_kinetics400-rgb_20230414-401127fd.pth',
            trained_on='Kinetics-400, after ImageNet',
            num_classes=400,
            top1=0.6871,
            source='MMAction2 model zoo, configs/recognition/tsm/README.md'),
        imagenet=dict(
            # Of the backbone alone: images, without TSM's shifts.
            url='https://download.openmmlab.com/mmclassification/v0/mobilenet_v2/'
            'mobilenet_v2_batch256_imagenet_20200708-3b2dc3af.pth',
            trained_on='ImageNet-1K (images)',
            num_classes=1000,
            top1=0.7186,
            source='MMClassification model zoo, configs/mobilenet_v2/README.md')),
    default_weights='kinetics400',
    num_parameters=2736272,
    reference_num_classes=400,
    flops=8 * 0.3e9,
    flops_source='published: MobileNetV2, arXiv:1801.04381, table 4, of one frame',
    clip_len=8,
    clip_seconds=10.0,
    clip_len_multiple=1,
    input_size=224,
    base_learning_rate=1e-3,
    base_total_batch_size=16,
    weight_decay=0.05,
    backbone_lr_mult=0.1,
    epochs=20,
    min_steps=200,
    warmup_epochs=1,
    test_num_clips=2,
    test_num_crops=1,
    min_crop_area=0.5,
    activation_gib=0.583,
    sampling='segments',
    label_smoothing=0.1,
    batch_norm=True,
    cpu_levels=('balanced', 'best'),
    core_rate=10e9,
)
model = dict(
    type='Recognizer2D',
    backbone=dict(
        type='MobileNetV2TSM',
        shift_div=8,
        num_segments=8,
        is_shift=True,
        # Building a model downloads nothing: weights come through `model.load_from`.
        pretrained=None,
        pretrained2d=False),
    data_preprocessor=dict(
        type='ActionDataPreprocessor',
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        format_shape='NCHW'),
    cls_head=dict(
        type='TSMHead',
        num_segments=8,
        num_classes=400,
        in_channels=1280,
        spatial_type='avg',
        consensus=dict(type='AvgConsensus', dim=1),
        dropout_ratio=0.5,
        init_std=0.001,
        is_shift=True,
        average_clips='prob'))
