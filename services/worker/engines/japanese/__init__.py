"""Japanese texts in kana, for engines that read kana: one reader of kanji, numbers and particles for all of them.

The package pyopenjtalk-plus does the reading. It is imported when the first text needs it, and never at a start.
"""
