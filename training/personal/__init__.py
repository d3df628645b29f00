"""How the weights of the compressor's signal of personal data were made and measured."""
