# Rendered by autox_video from plan.json: edit config.yaml, not this file.
# It runs as it is under MMAction2's own tools/train.py, with autox_video installed beside it.

custom_hooks = [
    dict(
        load_from=
        'https://download.openmmlab.com/mmaction/v1.0/recognition/swin/swin-tiny-p244-w877_in1k-pre_8xb8-amp-32x2x1-30e_kinetics400-rgb/swin-tiny-p244-w877_in1k-pre_8xb8-amp-32x2x1-30e_kinetics400-rgb_20220930-241016b2.pth',
        num_classes=2,
        type='PretrainedWeightsHook'),
    dict(type='MarginsHook'),
    dict(type='EpochReportHook'),
    dict(type='UnreadableVideosHook'),
    dict(type='FiniteHook'),
    dict(save_every_seconds=600.0, type='PreemptionHook'),
]
custom_imports = dict(
    allow_failed_imports=False, imports=[
        'autox_video.runner.components',
    ])
default_hooks = dict(
    checkpoint=dict(best_metric='top1', type='LastAndBestCheckpointHook'),
    logger=dict(ignore_last=False, interval=20, type='LoggerHook'),
    param_scheduler=dict(type='SteppedScheduleHook'),
    runtime_info=dict(type='RuntimeInfoHook'),
    sampler_seed=dict(type='DistSamplerSeedHook'),
    sync_buffers=dict(type='SyncBuffersHook'),
    timer=dict(type='IterTimerHook'))
default_scope = 'mmaction'
env_cfg = dict(
    cudnn_benchmark=False,
    dist_cfg=dict(backend='nccl', timeout=3600),
    mp_cfg=dict(mp_start_method='fork', opencv_num_threads=0))
load_from = None
log_level = 'INFO'
log_processor = dict(by_epoch=True, type='LogProcessor', window_size=20)
model = dict(
    backbone=dict(
        arch='tiny',
        attn_drop_rate=0.0,
        drop_path_rate=0.1,
        drop_rate=0.0,
        mlp_ratio=4.0,
        patch_norm=True,
        patch_size=(
            2,
            4,
            4,
        ),
        pretrained=None,
        pretrained2d=False,
        qk_scale=None,
        qkv_bias=True,
        type='FastSwinTransformer3D',
        window_size=(
            8,
            7,
            7,
        )),
    cls_head=dict(
        average_clips='prob',
        dropout_ratio=0.5,
        in_channels=768,
        loss_cls=dict(loss_weight=1.0, type='CrossEntropyLoss'),
        num_classes=2,
        spatial_type='avg',
        topk=(
            1,
            2,
        ),
        type='I3DHead'),
    data_preprocessor=dict(
        format_shape='NCTHW',
        mean=[
            123.675,
            116.28,
            103.53,
        ],
        std=[
            58.395,
            57.12,
            57.375,
        ],
        type='ClipBatchPreprocessor'),
    type='Recognizer3D')
optim_wrapper = dict(
    accumulative_counts=1,
    constructor='TransferOptimWrapperConstructor',
    dtype='bfloat16',
    loss_scale=1.0,
    optimizer=dict(
        betas=(
            0.9,
            0.999,
        ),
        fused=True,
        lr=0.000125,
        type='AdamW',
        weight_decay=0.02),
    paramwise_cfg=dict(backbone_lr_mult=0.1, layer_decay=None),
    type='AmpOptimWrapper')
param_scheduler = [
    dict(begin=0, by_epoch=False, end=62, start_factor=0.1, type='LinearLR'),
    dict(
        begin=62,
        by_epoch=False,
        end=750,
        eta_min=0.0,
        type='CosineAnnealingLR'),
]
randomness = dict(deterministic=False, seed=0)
resume = False
test_cfg = dict(
    amp='bfloat16',
    num_views=6,
    single_view=4,
    threads=1,
    type='ScoringTestLoop')
test_dataloader = dict(
    batch_size=2,
    collate_fn=dict(type='stack_clips'),
    dataset=dict(
        ann_file='/run/annotations/test.txt',
        data_prefix=dict(video='/videos'),
        pipeline=[
            dict(type='VideoOpen'),
            dict(
                clip_len=32,
                frame_interval=1,
                num_clips=2,
                out_of_bound_opt='repeat_last',
                test_mode=True,
                type='SampleFrames'),
            dict(lazy=True, scale=(
                -1,
                224,
            ), type='Resize'),
            dict(type='VideoDecode'),
            dict(crop_size=224, type='ThreeCrop'),
            dict(clip_len=32, input_format='NCTHW', type='FormatClips'),
            dict(
                meta_keys=(
                    'img_shape',
                    'num_clips',
                    'clip_len',
                    'filename',
                ),
                type='PackActionInputs'),
        ],
        test_mode=True,
        type='VideoListDataset'),
    num_workers=15,
    persistent_workers=True,
    pin_memory=True,
    prefetch_factor=2,
    sampler=dict(shuffle=False, type='DefaultSampler'))
test_evaluator = dict(task='single_label', type='ScoreMetric')
train_cfg = dict(
    max_epochs=30,
    seed=0,
    type='ResumableTrainLoop',
    val_begin=1,
    val_interval=2)
train_dataloader = dict(
    batch_size=8,
    collate_fn=dict(type='stack_clips'),
    dataset=dict(
        ann_file='/run/annotations/train.txt',
        data_prefix=dict(video='/videos'),
        pipeline=[
            dict(type='VideoOpen'),
            dict(
                clip_len=32,
                frame_interval=1,
                num_clips=1,
                out_of_bound_opt='repeat_last',
                test_mode=False,
                type='SampleFrames'),
            dict(
                area_range=(
                    0.08,
                    1.0,
                ), lazy=True, type='RandomResizedCrop'),
            dict(
                keep_ratio=False, lazy=True, scale=(
                    224,
                    224,
                ), type='Resize'),
            dict(flip_ratio=0.5, lazy=True, type='Flip'),
            dict(type='VideoDecode'),
            dict(clip_len=32, input_format='NCTHW', type='FormatClips'),
            dict(
                meta_keys=(
                    'img_shape',
                    'num_clips',
                    'clip_len',
                    'filename',
                ),
                type='PackActionInputs'),
        ],
        test_mode=False,
        type='VideoListDataset'),
    num_workers=15,
    persistent_workers=True,
    pin_memory=True,
    prefetch_factor=2,
    sampler=dict(seed=0, shuffle=True, type='DefaultSampler'))
val_cfg = dict(amp='bfloat16', threads=1, type='ScoringValLoop')
val_dataloader = dict(
    batch_size=8,
    collate_fn=dict(type='stack_clips'),
    dataset=dict(
        ann_file='/run/annotations/val.txt',
        data_prefix=dict(video='/videos'),
        pipeline=[
            dict(type='VideoOpen'),
            dict(
                clip_len=32,
                frame_interval=1,
                num_clips=1,
                out_of_bound_opt='repeat_last',
                test_mode=True,
                type='SampleFrames'),
            dict(lazy=True, scale=(
                -1,
                224,
            ), type='Resize'),
            dict(crop_size=224, lazy=True, type='CenterCrop'),
            dict(type='VideoDecode'),
            dict(clip_len=32, input_format='NCTHW', type='FormatClips'),
            dict(
                meta_keys=(
                    'img_shape',
                    'num_clips',
                    'clip_len',
                    'filename',
                ),
                type='PackActionInputs'),
        ],
        test_mode=True,
        type='VideoListDataset'),
    num_workers=15,
    persistent_workers=True,
    pin_memory=True,
    prefetch_factor=2,
    sampler=dict(shuffle=False, type='DefaultSampler'))
val_evaluator = dict(task='single_label', type='ScoreMetric')
visualizer = dict(type='ActionVisualizer', vis_backends=[])
work_dir = '/run'
