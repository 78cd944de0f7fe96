"""Where files of pins come from: hubs, URLs, folders, another Ringtrue. Whoever delivers, the bytes decide.

base.py is what a source is, table.py opens one; each kind is a module of its own, loaded when it is opened.
"""
