"""How the weights of the compressor's risk signal were made and measured."""
