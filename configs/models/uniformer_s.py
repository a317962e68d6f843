# UniFormer-S: convolutions in the first two stages, attention in the last two. Architecture of MMAction2's config, which
# only tests; the paper trains with AdamW at 1e-4 for 32 clips a step.
preset = dict(
    summary='21 M parameters, 42 GFLOPs a view: convolutions first, then attention; accurate for its size',
    paper='https://arxiv.org/abs/2201.04676',
    licence='Apache-2.0 (code and weights); Kinetics has terms of its own',
    weights=dict(
        kinetics400=dict(
            url='https://download.openmmlab.com/mmaction/v1.0/recognition/uniformerv1/'
            'uniformer-small_imagenet1k-pre_16x4x1_kinetics400-rgb_20221219-c630a037.pth',
            trained_on='Kinetics-400, after ImageNet-1K',
            num_classes=400,
            top1=0.809,
            source='MMAction2 model index')),
    default_weights='kinetics400',
    num_parameters=21400400,
    reference_num_classes=400,
    flops=41.8e9,
    flops_source='published: README of MMAction2\'s UniFormer',
    clip_len=16,
    clip_seconds=16 * 4 / 30,
    clip_len_multiple=2,
    input_size=224,
    base_learning_rate=2e-4,
    base_total_batch_size=64,
    weight_decay=0.05,
    backbone_lr_mult=0.1,
    epochs=30,
    min_steps=1000,
    warmup_epochs=2.5,
    test_num_clips=4,
    test_num_crops=1,
    min_crop_area=0.08,
    activation_gib=1.16,
    # Positions come from convolutions: there is no table.
    fixed_clip_len=False,
    fixed_input_size=False,
    optimizer='adamw',
    label_smoothing=0.1,
    batch_norm=True,
    gpu_levels=dict(fast=0),
    cpu_levels=('best', ),
)
model = dict(
    type='Recognizer3D',
    backbone=dict(
        type='UniFormer',
        depth=[3, 4, 8, 3],
        embed_dim=[64, 128, 320, 512],
        head_dim=64,
        # Building a model downloads nothing: weights come through `model.load_from`.
        pretrained=None,
        pretrained2d=False,
        drop_path_rate=0.1),
    data_preprocessor=dict(
        type='ActionDataPreprocessor',
        mean=[114.75, 114.75, 114.75],
        std=[57.375, 57.375, 57.375],
        format_shape='NCTHW'),
    cls_head=dict(
        type='I3DHead',
        in_channels=512,
        num_classes=400,
        dropout_ratio=0.0,
        average_clips='prob'))
