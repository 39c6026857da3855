"""What the formats are called: all that the options need to know of them, before anything is loaded."""

ONE_CLIP_FORMATS = ("audacity", "textgrid", "srt", "vtt")  # without end, clips could not be told apart
TOOL_FORMATS = ("rttm", "audacity", "raven", "textgrid", "srt", "vtt", "elan")  # a label from when to when
FORMATS = ("text", "json", "csv", *TOOL_FORMATS)
