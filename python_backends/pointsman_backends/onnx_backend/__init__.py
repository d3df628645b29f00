"""What the ``onnxruntime`` Triton backend does, without Triton: settings, session, batches."""
