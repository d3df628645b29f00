"""The logic behind the models in the model repository; nothing here imports Triton."""
