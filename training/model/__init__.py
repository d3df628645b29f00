"""The network: encoder, heads, batches, and its export to ONNX."""
