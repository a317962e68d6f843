# Rendered by autox_video from plan.json: edit config.yaml, not this file.
# It runs as it is under MMAction2's own tools/train.py.

# A temporal localizer that the released wheel of MMAction2 1.2.0 forgot; recognition never builds it. (`__import__`,
# because MMEngine takes a config with an import statement for one in its other, lazy style.)
for _name in ('mmaction.models.localizers.drn', 'mmaction.models.localizers.drn.drn'):
    vars(__import__('sys').modules.setdefault(_name, __import__('types').ModuleType(_name))).setdefault('DRN', None)
del _name

default_hooks = dict(
    checkpoint=dict(
        interval=1, max_keep_ckpts=2, save_best='auto', type='CheckpointHook'),
    logger=dict(ignore_last=False, interval=20, type='LoggerHook'),
    param_scheduler=dict(type='ParamSchedulerHook'),
    runtime_info=dict(type='RuntimeInfoHook'),
    sampler_seed=dict(type='DistSamplerSeedHook'),
    sync_buffers=dict(type='SyncBuffersHook'),
    timer=dict(type='IterTimerHook'))
default_scope = 'mmaction'
env_cfg = dict(
    cudnn_benchmark=False,
    dist_cfg=dict(backend='nccl'),
    mp_cfg=dict(mp_start_method='fork', opencv_num_threads=0))
load_from = None
log_level = 'INFO'
log_processor = dict(by_epoch=True, type='LogProcessor', window_size=20)
model = dict(
    backbone=dict(
        arch=dict(depths=[
            2,
            2,
        ], embed_dims=64, num_heads=[
            4,
            8,
        ]),
        attn_drop_rate=0.0,
        drop_path_rate=0.05,
        drop_rate=0.0,
        mlp_ratio=2.0,
        out_indices=(1, ),
        patch_norm=True,
        patch_size=(
            2,
            8,
            8,
        ),
        pretrained=None,
        pretrained2d=False,
        qk_scale=None,
        qkv_bias=True,
        type='SwinTransformer3D',
        window_size=(
            8,
            4,
            4,
        )),
    cls_head=dict(
        average_clips='prob',
        dropout_ratio=0.1,
        in_channels=128,
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
        type='ActionDataPreprocessor'),
    type='Recognizer3D')
optim_wrapper = dict(
    accumulative_counts=1,
    constructor='SwinOptimWrapperConstructor',
    optimizer=dict(
        betas=(
            0.9,
            0.999,
        ), lr=0.001, type='AdamW', weight_decay=0.02),
    paramwise_cfg=dict({
        '.bias': dict(decay_mult=0.0),
        '_bias': dict(decay_mult=0.0),
        'backbone': dict(lr_mult=1.0),
        'bn': dict(decay_mult=0.0),
        'class_embedding': dict(decay_mult=0.0),
        'cls_token': dict(decay_mult=0.0),
        'gamma_': dict(decay_mult=0.0),
        'ln_': dict(decay_mult=0.0),
        'norm': dict(decay_mult=0.0),
        'pos_embed': dict(decay_mult=0.0),
        'position': dict(decay_mult=0.0),
        'rel_pos_': dict(decay_mult=0.0),
        'time_embed': dict(decay_mult=0.0)
    }),
    type='OptimWrapper')
param_scheduler = [
    dict(begin=0, by_epoch=False, end=50, start_factor=0.1, type='LinearLR'),
    dict(
        begin=50,
        by_epoch=False,
        end=1500,
        eta_min=0.0,
        type='CosineAnnealingLR'),
]
randomness = dict(deterministic=False, seed=0)
resume = False
test_cfg = dict(type='TestLoop')
test_dataloader = dict(
    batch_size=8,
    dataset=dict(
        ann_file='/run/annotations/stock/test.txt',
        data_prefix=dict(video='/videos'),
        delimiter='\t',
        pipeline=[
            dict(io_backend='disk', type='DecordInit'),
            dict(
                clip_len=8,
                frame_interval=6,
                num_clips=1,
                out_of_bound_opt='repeat_last',
                test_mode=True,
                type='SampleFrames'),
            dict(type='DecordDecode'),
            dict(scale=(
                -1,
                128,
            ), type='Resize'),
            dict(crop_size=128, type='CenterCrop'),
            dict(input_format='NCTHW', type='FormatShape'),
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
        type='VideoDataset'),
    num_workers=1,
    persistent_workers=True,
    pin_memory=False,
    prefetch_factor=2,
    sampler=dict(shuffle=False, type='DefaultSampler'))
test_evaluator = dict(
    metric_options=dict(top_k_accuracy=dict(topk=(
        1,
        2,
    ))), type='AccMetric')
train_cfg = dict(
    max_epochs=60, type='EpochBasedTrainLoop', val_begin=1, val_interval=2)
train_dataloader = dict(
    batch_size=8,
    dataset=dict(
        ann_file='/run/annotations/stock/train.txt',
        data_prefix=dict(video='/videos'),
        delimiter='\t',
        pipeline=[
            dict(io_backend='disk', type='DecordInit'),
            dict(
                clip_len=8,
                frame_interval=6,
                num_clips=1,
                out_of_bound_opt='repeat_last',
                test_mode=False,
                type='SampleFrames'),
            dict(type='DecordDecode'),
            dict(area_range=(
                0.5,
                1.0,
            ), type='RandomResizedCrop'),
            dict(keep_ratio=False, scale=(
                128,
                128,
            ), type='Resize'),
            dict(flip_ratio=0.5, type='Flip'),
            dict(input_format='NCTHW', type='FormatShape'),
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
        type='VideoDataset'),
    num_workers=1,
    persistent_workers=True,
    pin_memory=False,
    prefetch_factor=2,
    sampler=dict(seed=0, shuffle=True, type='DefaultSampler'))
val_cfg = dict(type='ValLoop')
val_dataloader = dict(
    batch_size=8,
    dataset=dict(
        ann_file='/run/annotations/stock/val.txt',
        data_prefix=dict(video='/videos'),
        delimiter='\t',
        pipeline=[
            dict(io_backend='disk', type='DecordInit'),
            dict(
                clip_len=8,
                frame_interval=6,
                num_clips=1,
                out_of_bound_opt='repeat_last',
                test_mode=True,
                type='SampleFrames'),
            dict(type='DecordDecode'),
            dict(scale=(
                -1,
                128,
            ), type='Resize'),
            dict(crop_size=128, type='CenterCrop'),
            dict(input_format='NCTHW', type='FormatShape'),
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
        type='VideoDataset'),
    num_workers=1,
    persistent_workers=True,
    pin_memory=False,
    prefetch_factor=2,
    sampler=dict(shuffle=False, type='DefaultSampler'))
val_evaluator = dict(
    metric_options=dict(top_k_accuracy=dict(topk=(
        1,
        2,
    ))), type='AccMetric')
visualizer = dict(
    type='ActionVisualizer', vis_backends=[
        dict(type='LocalVisBackend'),
    ])
work_dir = '/run'
