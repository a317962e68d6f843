# TSN R50: one frame from each of eight parts of a video, scored by an image network and averaged: no motion, little
# work. Architecture of MMAction2's tsn_imagenet-pretrained-r50 config; its figures are of 25 frames, ten crops of each.
preset = dict(
    summary='24 M parameters, 33 GFLOPs a view: eight single frames, averaged',
    paper='https://arxiv.org/abs/1608.00859',
    licence='Apache-2.0 (code and weights); Kinetics has terms of its own',
    weights=dict(
        kinetics400=dict(
            url='https://download.openmmlab.com/mmaction/v1.0/recognition/tsn/'
            'tsn_imagenet-pretrained-r50_8xb32-1x1x8-100e_kinetics400-rgb/'
            'tsn_imagenet-pretrained-r50_8xb32-1x1x8-100e_kinetics400-rgb_20220906-2692d16c.pth',
            trained_on='Kinetics-400, after ImageNet',
            num_classes=400,
            top1=0.7412,
            source='MMAction2 model index')),
    default_weights='kinetics400',
    num_parameters=24327632,
    reference_num_classes=400,
    flops=102.7e9 * 8 / 25,
    flops_source='published: MMAction2 model index, of 25 frames',
    clip_len=8,
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
    test_num_clips=3,
    test_num_crops=3,
    min_crop_area=0.5,
    activation_gib=0.641,
    sampling='segments',
    optimizer='sgd',
    clip_grad=40.0,
    batch_norm=True,
)
model = dict(
    type='Recognizer2D',
    backbone=dict(
        type='ResNet',
        # Building a model downloads nothing: weights come through `model.load_from`.
        pretrained=None,
        depth=50,
        norm_eval=False),
    data_preprocessor=dict(
        type='ActionDataPreprocessor',
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        format_shape='NCHW'),
    cls_head=dict(
        type='TSNHead',
        num_classes=400,
        in_channels=2048,
        spatial_type='avg',
        consensus=dict(type='AvgConsensus', dim=1),
        dropout_ratio=0.4,
        init_std=0.01,
        average_clips='prob'))
