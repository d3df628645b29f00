"""An external processor for Envoy: judges requests on their way to a model's server.

``admission`` says what a request is by its headers, ``exchange`` holds the conversation on one
request and its reply, ``messages`` builds what Envoy is told, ``server`` serves it over gRPC.
"""
