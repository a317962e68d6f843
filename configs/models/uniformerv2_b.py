# UniFormerV2-B/16: CLIP's image encoder with added layers that see several frames; eight frames over the whole video.
# Architecture and recipe of MMAction2's config from CLIP. The rate of that recipe, 1e-5, is here that of the backbone, and
# a new head learns ten times as fast.
preset = dict(
    summary='115 M parameters, 150 GFLOPs a view: eight frames of a video, from CLIP and 700 kinds of action',
    paper='https://arxiv.org/abs/2211.09552',
    licence='Apache-2.0 (code and weights), CLIP: MIT; Kinetics has terms of its own',
    weights=dict(
        kinetics400=dict(
            url='https://download.openmmlab.com/mmaction/v1.0/recognition/uniformerv2/'
            'uniformerv2-base-p16-res224_clip-kinetics710-pre_8xb32-u8_kinetics400-rgb/'
            'uniformerv2-base-p16-res224_clip-kinetics710-pre_8xb32-u8_kinetics400-rgb_20230313-75be0806.pth',
            trained_on='Kinetics-400, after CLIP-400M and Kinetics-710',
            num_classes=400,
            top1=0.858,
            source='MMAction2 model index'),
        kinetics600=dict(
            url='https://download.openmmlab.com/mmaction/v1.0/recognition/uniformerv2/'
            'uniformerv2-base-p16-res224_clip-kinetics710-pre_8xb32-u8_kinetics600-rgb/'
            'uniformerv2-base-p16-res224_clip-kinetics710-pre_8xb32-u8_kinetics600-rgb_20230313-544f06f0.pth',
            trained_on='Kinetics-600, after CLIP-400M and Kinetics-710',
            num_classes=600,
            top1=0.864,
            source='MMAction2 model index'),
        kinetics700=dict(
            url='https://download.openmmlab.com/mmaction/v1.0/recognition/uniformerv2/'
            'uniformerv2-base-p16-res224_clip-kinetics710-pre_8xb32-u8_kinetics700-rgb/'
            'uniformerv2-base-p16-res224_clip-kinetics710-pre_8xb32-u8_kinetics700-rgb_20230313-69070837.pth',
            trained_on='Kinetics-700, after CLIP-400M and Kinetics-710',
            num_classes=700,
            top1=0.763,
            source='MMAction2 model index')),
    default_weights='kinetics400',
    num_parameters=114552208,
    reference_num_classes=400,
    # The index rounds it to 0.1e12, the paper gives 1.8e12 for twelve views.
    flops=148.10e9,
    flops_source='measured',
    clip_len=8,
    clip_seconds=10.0,
    clip_len_multiple=1,
    input_size=224,
    base_learning_rate=1e-4,
    base_total_batch_size=256,
    weight_decay=0.05,
    backbone_lr_mult=0.1,
    epochs=30,
    min_steps=1000,
    warmup_epochs=2.5,
    test_num_clips=4,
    test_num_crops=3,
    min_crop_area=0.08,
    activation_gib=1.46,
    sampling='uniform',
    # Positions in space are a table that is not interpolated; frames have none, `t_size` only counts them.
    fixed_clip_len=False,
    fixed_input_size=True,
    optimizer='adamw',
    clip_grad=20.0,
    gpu_levels=dict(best=8),
)
model = dict(
    type='Recognizer3D',
    backbone=dict(
        type='UniFormerV2',
        input_resolution=224,
        patch_size=16,
        width=768,
        layers=12,
        heads=12,
        t_size=8,
        dw_reduction=1.5,
        backbone_drop_path_rate=0.0,
        temporal_downsample=False,
        no_lmhra=True,
        double_lmhra=True,
        return_list=[8, 9, 10, 11],
        n_layers=4,
        n_dim=768,
        n_head=12,
        mlp_factor=4.0,
        drop_path_rate=0.0,
        mlp_dropout=[0.5, 0.5, 0.5, 0.5],
        # Building a model downloads nothing: weights come through `model.load_from`.
        clip_pretrained=False,
        pretrained=None),
    data_preprocessor=dict(
        type='ActionDataPreprocessor',
        mean=[114.75, 114.75, 114.75],
        std=[57.375, 57.375, 57.375],
        format_shape='NCTHW'),
    cls_head=dict(
        type='TimeSformerHead',
        in_channels=768,
        num_classes=400,
        dropout_ratio=0.5,
        average_clips='prob'))
