# TimeSformer-B with divided space-time attention: eight frames over eight seconds. Architecture and recipe of MMAction2's
# timesformer_divST config, which trains with SGD from ImageNet-21K.
preset = dict(
    summary='122 M parameters, 196 GFLOPs a view: attention over time, then over space; eight frames far apart',
    paper='https://arxiv.org/abs/2102.05095',
    licence='Apache-2.0 (code and weights, which MMAction2 trained); Kinetics has terms of its own',
    weights=dict(
        kinetics400=dict(
            url='https://download.openmmlab.com/mmaction/v1.0/recognition/timesformer/'
            'timesformer_divST_8xb8-8x32x1-15e_kinetics400-rgb/'
            'timesformer_divST_8xb8-8x32x1-15e_kinetics400-rgb_20220815-a4d0d01f.pth',
            trained_on='Kinetics-400, after ImageNet-21K',
            num_classes=400,
            top1=0.7769,
            source='MMAction2 model index')),
    default_weights='kinetics400',
    num_parameters=121566352,
    reference_num_classes=400,
    flops=196e9,
    flops_source='published: MMAction2 model index',
    clip_len=8,
    clip_seconds=8 * 32 / 30,
    clip_len_multiple=1,
    input_size=224,
    base_learning_rate=5e-3,
    base_total_batch_size=64,
    weight_decay=1e-4,
    backbone_lr_mult=0.1,
    epochs=15,
    min_steps=1000,
    warmup_epochs=0.0,
    test_num_clips=1,
    test_num_crops=3,
    # It scales the short side to 256 to 320 pixels and cuts out 224.
    min_crop_area=0.25,
    activation_gib=1.54,
    # Tables of positions in space and of frames, neither of which is interpolated.
    fixed_clip_len=True,
    fixed_input_size=True,
    optimizer='sgd',
    clip_grad=40.0,
)
model = dict(
    type='Recognizer3D',
    backbone=dict(
        type='TimeSformer',
        # Building a model downloads nothing: weights come through `model.load_from`.
        pretrained=None,
        num_frames=8,
        img_size=224,
        patch_size=16,
        embed_dims=768,
        in_channels=3,
        dropout_ratio=0.0,
        transformer_layers=None,
        attention_type='divided_space_time',
        norm_cfg=dict(type='LN', eps=1e-6)),
    data_preprocessor=dict(
        type='ActionDataPreprocessor',
        mean=[127.5, 127.5, 127.5],
        std=[127.5, 127.5, 127.5],
        format_shape='NCTHW'),
    cls_head=dict(
        type='TimeSformerHead',
        num_classes=400,
        in_channels=768,
        average_clips='prob'))
