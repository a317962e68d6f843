# ir-CSN R50, 32x2: each channel is filtered over space and time by itself. Architecture of MMAction2's
# ircsn_ig65m-pretrained-r50 config; batch norms are frozen, as it was fine-tuned.
preset = dict(
    summary='13 M parameters, 56 GFLOPs a view: pretrained on 65 million videos',
    paper='https://arxiv.org/abs/1904.02811',
    licence='Apache-2.0 (code and weights); Kinetics has terms of its own',
    weights=dict(
        kinetics400=dict(
            url='https://download.openmmlab.com/mmaction/v1.0/recognition/csn/'
            'ircsn_ig65m-pretrained-r50-bnfrozen_8xb12-32x2x1-58e_kinetics400-rgb/'
            'ircsn_ig65m-pretrained-r50-bnfrozen_8xb12-32x2x1-58e_kinetics400-rgb_20220811-44395bae.pth',
            trained_on='Kinetics-400, after IG65M',
            num_classes=400,
            top1=0.7944,
            source='MMAction2 model index')),
    default_weights='kinetics400',
    num_parameters=13078032,
    reference_num_classes=400,
    flops=55.9e9 * (224 / 256)**2,
    flops_source='published: MMAction2 model index, of 256 x 256 pixels',
    clip_len=32,
    clip_seconds=32 * 2 / 30,
    clip_len_multiple=1,
    input_size=224,
    base_learning_rate=0.005,
    base_total_batch_size=64,
    weight_decay=0.0001,
    backbone_lr_mult=0.1,
    epochs=30,
    min_steps=1000,
    warmup_epochs=2.5,
    test_num_clips=10,
    test_num_crops=3,
    min_crop_area=0.08,
    activation_gib=1.79,
    optimizer='sgd',
    clip_grad=40.0,
    batch_norm=True,
    core_rate=18e9,
)
model = dict(
    type='Recognizer3D',
    backbone=dict(
        type='ResNet3dCSN',
        pretrained2d=False,
        # Building a model downloads nothing: weights come through `model.load_from`.
        pretrained=None,
        depth=50,
        with_pool2=False,
        bottleneck_mode='ir',
        norm_eval=True,
        zero_init_residual=False,
        bn_frozen=True),
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
