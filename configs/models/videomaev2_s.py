# VideoMAE V2, ViT-S: learned from a giant model of the same family, which makes it the most accurate one of its size here.
# Architecture of MMAction2's config, which only tests; recipe of the authors for fine-tuning VideoMAE.
preset = dict(
    summary='22 M parameters, 57 GFLOPs a view: the strong small one; weights not for commercial use',
    paper='https://arxiv.org/abs/2303.16727',
    licence='CC-BY-NC-4.0 (weights: not for commercial use), Apache-2.0 (code); Kinetics has terms of its own',
    weights=dict(
        kinetics400=dict(
            # The model index gives the file of the base model here.
            url='https://download.openmmlab.com/mmaction/v1.0/recognition/videomaev2/'
            'vit-small-p16_videomaev2-vit-g-dist-k710-pre_16x4x1_kinetics-400/'
            'vit-small-p16_videomaev2-vit-g-dist-k710-pre_16x4x1_kinetics-400_20230510-25c748fd.pth',
            trained_on='Kinetics-400, after a giant model on Kinetics-710',
            num_classes=400,
            top1=0.836,
            source='README of MMAction2\'s VideoMAE V2')),
    default_weights='kinetics400',
    num_parameters=22033936,
    reference_num_classes=400,
    flops=57e9,
    flops_source='published: README of MMAction2\'s VideoMAE V2',
    clip_len=16,
    clip_seconds=16 * 4 / 30,
    clip_len_multiple=2,
    input_size=224,
    base_learning_rate=5e-4,
    base_total_batch_size=256,
    weight_decay=0.05,
    backbone_lr_mult=0.1,
    epochs=30,
    min_steps=1000,
    warmup_epochs=5.0,
    test_num_clips=5,
    test_num_crops=3,
    min_crop_area=0.08,
    activation_gib=1.13,
    # The table of positions is interpolated in space, and not in time.
    fixed_clip_len=True,
    fixed_input_size=False,
    optimizer='adamw',
    layer_decay=0.75,
    label_smoothing=0.1,
)
model = dict(
    type='Recognizer3D',
    backbone=dict(
        type='VisionTransformer',
        # Building a model downloads nothing: weights come through `model.load_from`.
        pretrained=None,
        img_size=224,
        patch_size=16,
        embed_dims=384,
        depth=12,
        num_heads=6,
        mlp_ratio=4,
        qkv_bias=True,
        num_frames=16,
        drop_path_rate=0.1,
        norm_cfg=dict(type='LN', eps=1e-6)),
    data_preprocessor=dict(
        type='ActionDataPreprocessor',
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        format_shape='NCTHW'),
    cls_head=dict(
        type='TimeSformerHead',
        num_classes=400,
        in_channels=384,
        average_clips='prob'))
