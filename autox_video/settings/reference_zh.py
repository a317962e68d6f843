"""The settings reference in Chinese: one sentence a key, beside the English one in `schema.py`."""

from __future__ import annotations

from typing import Final

WORDS_ZH: Final = {
    "header": "| 键 | 取值 | 默认值 | 含义 | 示例 |",
    "required": "（必填）",
    "not given": "（无）",
    "nothing": "（空）",
    "int": "整数",
    "float": "数值",
    "bool": "`true` 或 `false`",
    "str": "名称",
    "path": "路径",
    "weights": "名称、路径、URL",
    "classes": "名称列表，或路径",
    "sources": "映射的列表",
    "mapping": "映射",
    "words": "单词或列表",
    "plugins": "名称、路径，或其列表",
    "parts": "映射的列表",
    "urls": "URL 或 URL 列表",
    "duration": "时间，单位 `s`、`min` 或 `h`",
    "views": "片段数 x 裁剪数",
    "epochs": "轮数列表",
    "freeze": "`none`、`head_only`、`stages:N`",
    "between": "{low} 至 {high}",
    "above": "大于 {low}，至多为 {high}",
    "multiple": "{step} 的倍数",
    "or": " 或 ",
    "comma": "，",
}

HELP_ZH: Final = {
    "data_root": "视频所在的文件夹。",
    "ann_file_train": "训练视频列表：每行一条 `路径 标签`，或表格，或官方标注（见 docs/data.md）。"
    "省略时，`data_root` 中的每个文件夹是一个类别。",
    "ann_file_val": "验证视频列表。省略时，从训练视频中留出一部分。",
    "ann_file_test": "测试视频列表；标签可以省略。",
    "more_data": "更多数据集，各有 data_root，有列表时还有 ann_file_train、ann_file_val、ann_file_test；"
    "按类别名称合并。",
    "classes": "类别名称，按类别编号排列：写成列表，或写一个每行一个名称的文件的路径。",
    "task": "学习什么：`single_label`（每个视频一个标签），或 `multi_label`（每个视频有多个标签，"
    "写作 `3;5` 或 `jump;run`）。`auto` 依训练列表判断。",
    "video_length": "一个片段覆盖的视频时长，单位为秒。",
    "num_class": "类别数。",
    "videos_per_gpu": "单个 GPU（或 CPU）上的批大小。",
    "epoch": "遍历全部训练视频的轮数。",
    "work_dir": "一次运行写出的所有文件所在的文件夹。",
    "test_results_path": "测试结果写到哪里；格式由扩展名决定。省略时为 `work_dir` 中的 `results.json`。"
    "位于 `work_dir` 内时，随 `--work-dir` 一起改变。",
    "on_bad_video": "遇到无法读取的视频时：`skip` 将其略去，至多为一个划分的五分之一；`stop` 拒绝运行。",
    "preset": "`model: auto` 选哪个模型：`fast`（计算量最小）、`balanced`（即 `auto`）"
    "或 `best`（本机能训练的、已发表准确率最高的模型）；见 docs/models.md 中的表。",
    "data.group_pattern": "哪些视频来自同一次拍摄（因此不会被分到两个集合中）："
    "一个正则表达式，括号中的部分是拍摄的名称。"
    "`auto` 识别 UCF101 和 YouTube 片段的文件名，以及能划分每个类别的文件夹和编号；`none` 不看文件名。",
    "data.balance": "如何处理类别大小不均：`sampler` 让每个类别被抽到的次数相同，"
    "`weights` 按各类别视频数的倒数给损失加权。`auto` 在类别很不均衡时加权。",
    "data.image_fps": "以编号图片文件夹形式存放的视频每秒的帧数（图片本身不含帧率）。",
    "data.probe": "训练前打开哪些视频：`all` 全部打开；`auto` 在超过 20000 个时，"
    "从每个集合的每个类别中共抽取约 2000 个。",
    "data.cache": "`proxy` 在训练第一轮的同时，在工作目录旁为训练和验证视频写出小尺寸副本，此后读取副本；"
    "`off` 始终读取原视频。`auto` 在能缩短整个训练时写出副本。",
    "model.name": "模型：configs/models 中的文件名，不带 .py（`autox-video models` 列出全部），"
    "或 MMAction2 索引中的模型（`autox-video models mmaction::` 列出全部）。`auto` 依数据、机器和 `preset` 选择。",
    "model.load_from": "预训练权重：`auto`（该模型默认的权重，只下载一次）、模型卡中其他权重的名称"
    "（如 `kinetics700`）、路径、URL，或 `none`（从零训练）。",
    "clip.clip_len": "一个片段的帧数。",
    "clip.frame_interval": "片段中相邻两帧在原视频中的间隔，单位为帧。",
    "clip.sampling": "如何取帧：`dense`（clip_len 帧，间隔 frame_interval），`segments` 或 `uniform`"
    "（从视频的 clip_len 个等分中各取一帧）。`auto` 与该模型的训练方式一致。",
    "clip.target_fps": "片段每秒的帧数，与视频本身的帧率无关，代替 frame_interval。`auto` 在各视频帧率相差很大时使用。",
    "clip.input_size": "网络所见正方形画面的边长，单位为像素；须为 16 的倍数。",
    "train.learning_rate": "对应总批大小的峰值学习率；不再缩放。",
    "train.optimizer": "`adamw`，或带 Nesterov 动量的 `sgd`。`auto`：按模型的训练方案。",
    "train.weight_decay": "优化器的权重衰减；偏置、归一化层、位置表和类别标记不衰减。",
    "train.backbone_lr_mult": "主干网络的学习率，相对于分类头。",
    "train.layer_decay": "主干网络每一层的学习率是其后一层的这么多倍，代替 `backbone_lr_mult`。`none`：各层相同。",
    "train.freeze": "主干网络中哪些权重保持不变：`none`、`head_only`（全部，只学习分类头），"
    "或 `stages:2`（前两个阶段及其之前的部分）。",
    "train.norm_eval": "批归一化在训练中也沿用已有的统计量。`auto`：网络经过预训练，且单个设备上的批少于 8 个视频时。",
    "train.clip_grad": "一步梯度的最大范数，超过时按比例缩小。`none`：不限制。",
    "train.ema": "权重随训练步数的指数滑动平均的衰减率，验证、测试和最佳检查点都用平均后的权重；`none` 不做平均。",
    "train.label_smoothing": "目标中平均分给所有类别的份额。",
    "train.schedule": "预热之后学习率如何变化：`cosine` 余弦降至零，`step` 在每个 `milestones` 降为十分之一，"
    "`plateau` 在 5 次验证未见更好的 `best_metric` 后降为十分之一，`restarts` 在每个 `restart_epochs` 重新开始余弦，"
    "`one_cycle` 先升后降一次（动量相反），`constant` 不变。",
    "train.schedule_by": "学习率随每次迭代（`iteration`）变化，还是每轮（`epoch`）变化一次；预热总是按迭代。",
    "train.milestones": "`schedule: step` 在哪些轮数之后把学习率降为十分之一。`auto`：全程的 40 % 和 80 %。",
    "train.restart_epochs": "`schedule: restarts` 在哪些轮数之后重新开始。`auto`：两次，每段余弦的长度是前一段的两倍。",
    "train.warmup_epochs": "学习率线性升至峰值所用的轮数。",
    "train.accumulation": "累积多少个批次的梯度后更新一次参数。",
    "train.amp": "混合精度所用的数值格式。"
    "`auto`：GPU 或处理器在硬件上支持时用 `bfloat16`，否则 GPU 上用 `float16`，处理器上为 `off`。",
    "train.val_interval": "每隔多少轮验证一次；最后一轮总会验证。",
    "train.best_metric": "用哪个验证指标来选出最佳检查点。",
    "train.patience": "`best_metric` 连续多少次验证都未提高（至少相当于半个视频）后提前停止；`none` 训练全部轮数。",
    "train.save_every": "在一轮之内每隔多久保存一次状态，即崩溃至多损失多少。`none` 只在每轮结束时保存。",
    "train.hooks": "加入训练的 MMEngine 钩子，或您的 `plugins` 中的钩子。",
    "augment.level": "增强的强度，用于下面未写明的各项：`none`（无）、`light`（大幅裁剪、翻转）、"
    "`default`（按该模型裁剪、翻转），或 `strong`（另加 RandAugment、随机擦除、mixup 和 cutmix）。",
    "augment.flip": "训练片段左右翻转的概率。",
    "augment.min_crop_area": "随机裁剪至少保留的画面比例。",
    "augment.multi_scale_crop": "按 TSN 的方式，以短边的 1、7/8、3/4 或 2/3 裁剪四角或中央，代替任意位置和大小的裁剪。",
    "augment.color_jitter": "亮度、对比度和饱和度的最大变化比例；0 为不变。",
    "augment.rand_augment": "RandAugment 的幅度：从一组变换中抽取两种作用于片段；0 为不用。",
    "augment.random_erasing": "用平均颜色遮住片段中一个矩形的概率。",
    "augment.mixup": "把一个批次中的每个片段及其标签与另一个混合，比例取自 Beta(mixup, mixup)；0 为不用。",
    "augment.cutmix": "用另一个片段的一个矩形替换每个片段的对应部分，标签按面积混合，比例取自 Beta(cutmix, cutmix)。"
    "同时设有 mixup 时，每个批次抽取其一。0 为不用。",
    "augment.num_repeats": "一个批次中同一次解码得到的视图数，各自裁剪和翻转：比解码同样多的视频便宜。",
    "augment.transforms": "训练片段的各帧（uint8，RGB）最后经过的变换：MMAction2 的，或您的 `plugins` 中的。",
    "test.views": "测试时的视图：片段数乘以裁剪数（1 或 3），即 num_clips 和 num_crops 合写。",
    "test.num_clips": "从一个视频中均匀采样的片段数；各片段的得分取平均。",
    "test.num_crops": "每个片段的裁剪数：1（居中）或 3（沿长边）。",
    "test.results_format": "`full` 写出有文档说明的完整结果；`scores` 只写得分向量的列表，与原工具相同。",
    "test.probe": "另用静止、打乱和倒放的帧给测试视频打分，逐类说明：一帧静止画面就够，还是需要运动或时间的方向。",
    "test.folds": "按类别和拍摄把视频分成这么多折，每折训练一个不含该折的模型，并在该折上测试：每个视频恰好测试一次。",
    "runtime.device": "在哪里计算。",
    "runtime.gpus": "一起训练和测试的 GPU 数，每个 GPU 一个进程。`auto`：所有可见的 GPU。"
    "`device: cpu` 时为处理器上的进程数（`auto`：一个）。",
    "runtime.strategy": "多个进程如何训练同一个网络：各存整个网络（`ddp`），或各存一份参数、梯度和优化器状态"
    "（`fsdp`）。`auto`：网络不小于 video_swin_large，或一个 GPU 放不下时分片。",
    "runtime.workers": "解码视频的进程数。",
    "runtime.seed": "所有随机数的种子。",
    "runtime.deterministic": "只用每次结果都相同的算子（在 CUDA 上较慢）。",
    "runtime.compile": "用 torch.compile 编译网络。"
    "`auto` 只在 GPU 上的长时间训练值得花费编译时间时才编译；无法编译时照常训练。",
    "runtime.stall_minutes": "运行超过这么多分钟没有进展时即被结束，并指出它在等什么。",
    "loggers": "除 `metrics.csv` 外，指标还写到哪里：一个或多个（见 docs/loggers.md）。",
    "notify": "训练开始、取得更好成绩、结束或失败时通知谁：Apprise 库的一个或多个 URL"
    "（Telegram、Slack、飞书、钉钉、邮件、Webhook 等）。密钥写作环境变量 `${NAME}`。",
    "plugins": "您自己的 Python 模块（名称，或 `./file.py`），其中注册模型、变换、损失、优化器或钩子"
    "（见 docs/plugins.md）。它们以您的权限运行。",
    "cfg_options": "MMEngine 自己的任何配置项，以点分键名书写；最后合并进生成的配置。",
}
