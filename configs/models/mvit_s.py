# MViTv2-S: attention that pools its keys, on ever fewer and wider tokens. Architecture of MMAction2's mvit-small config.
# It trains from scratch for 200 epochs at 1.6e-3 for 512 clips a step; here that rate is scaled to 256 clips, and layers
# nearer to the input learn less, as in MMAction2's config that starts from MaskFeat.
preset = dict(
    summary='35 M parameters, 64 GFLOPs a view: pooled attention, any size of clip and frame',
    paper='https://arxiv.org/abs/2112.01526',
    licence='Apache-2.0 (code and weights, which MMAction2 trained); Kinetics has terms of its own',
    weights=dict(
        kinetics400=dict(
            url='https://download.openmmlab.com/mmaction/v1.0/recognition/mvit/'
            'mvit-small-p244_32xb16-16x4x1-200e_kinetics400-rgb/'
            'mvit-small-p244_32xb16-16x4x1-200e_kinetics400-rgb_20230201-23284ff3.pth',
            trained_on='Kinetics-400',
            num_classes=400,
            top1=0.806,
            source='MMAction2 model index')),
    default_weights='kinetics400',
    num_parameters=34537744,
    reference_num_classes=400,
    flops=64e9,
    flops_source='published: MMAction2 model index',
    clip_len=16,
    clip_seconds=16 * 4 / 30,
    clip_len_multiple=2,
    input_size=224,
    base_learning_rate=8e-4,
    base_total_batch_size=256,
    weight_decay=0.05,
    backbone_lr_mult=0.1,
    epochs=30,
    min_steps=1000,
    warmup_epochs=2.5,
    test_num_clips=5,
    test_num_crops=1,
    min_crop_area=0.08,
    activation_gib=1.43,
    # Relative positions, which it interpolates.
    fixed_clip_len=False,
    fixed_input_size=False,
    optimizer='adamw',
    layer_decay=0.75,
    clip_grad=1.0,
    label_smoothing=0.1,
)
model = dict(
    type='Recognizer3D',
    backbone=dict(
        type='MViT',
        arch='small',
        # Building a model downloads nothing: weights come through `model.load_from`.
        pretrained=None,
        drop_path_rate=0.2),
    data_preprocessor=dict(
        type='ActionDataPreprocessor',
        mean=[114.75, 114.75, 114.75],
        std=[57.375, 57.375, 57.375],
        format_shape='NCTHW'),
    cls_head=dict(
        type='MViTHead',
        in_channels=768,
        num_classes=400,
        average_clips='prob'))
