# What every rendered config has in common: hooks, log, environment.
default_scope = 'mmaction'
custom_imports = dict(imports=['autox_video.runner.components'], allow_failed_imports=False)

default_hooks = dict(
    runtime_info=dict(type='RuntimeInfoHook'),
    timer=dict(type='IterTimerHook'),
    logger=dict(type='LoggerHook', interval=20, ignore_last=False),
    param_scheduler=dict(type='SteppedScheduleHook'),
    # A config that trains names its own; None keeps MMEngine from adding its default.
    checkpoint=None,
    sampler_seed=dict(type='DistSamplerSeedHook'),
    sync_buffers=dict(type='SyncBuffersHook'))
custom_hooks = [dict(type='EpochReportHook'), dict(type='UnreadableVideosHook'), dict(type='FiniteHook')]

env_cfg = dict(
    cudnn_benchmark=False,
    mp_cfg=dict(mp_start_method='fork', opencv_num_threads=0),
    # A process that waits so many seconds for another one gives up.
    dist_cfg=dict(backend='nccl', timeout=1800))
log_processor = dict(type='LogProcessor', window_size=20, by_epoch=True)
visualizer = dict(type='ActionVisualizer', vis_backends=[])
log_level = 'INFO'
load_from = None
resume = False
