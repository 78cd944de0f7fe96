"""`ringtrue doctor`: is this machine fit to run Ringtrue, and if not, what to do about it?

It looks and reports; it repairs nothing and leaves nothing behind. It uses only the public interfaces of the other
services: their command lines, their HTTP, their files.
"""
