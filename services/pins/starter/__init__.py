"""The starter set: a few locked pins that come with Ringtrue, so that a neural voice needs no catalog of one's own."""
