"""`ringtrue doctor`: is this machine fit to run Ringtrue, and if not, what to do about it.

Looks and tells; repairs nothing and leaves nothing behind. Asks the other services only by what anybody can ask: their
command lines, their HTTP, their files.
"""
