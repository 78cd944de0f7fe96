"""Where files of pins come from: hubs, URLs, folders, another Ringtrue. Whichever delivers, the bytes must be right.

base.py defines what a source is, table.py opens one. Each kind is a module, imported when it is opened.
"""
