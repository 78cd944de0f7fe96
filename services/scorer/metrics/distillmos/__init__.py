"""DistillMOS: the network of the package distillmos, with its published weights from a pin."""
