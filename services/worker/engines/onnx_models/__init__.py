"""What engines of ONNX models share: reading a graph, refusing one that draws random numbers, opening a session."""
