"""Routes one short text through a running Triton, for a container's health check.

Triton calls itself ready even when the process of a model has died, so readiness alone proves
little. Needs nothing but the standard library.

Usage: ``python healthcheck.py [HOST:PORT]`` with Triton's HTTP port; exit status 0 when healthy.
"""

import http.client
import json
import sys

TIMEOUT_S = 3.0
TEXT = "Is the line clear?"


def unhealthy_because(address: str) -> str | None:
    """Return what is wrong with the server at HOST:PORT, or None when it routes."""
    connection = http.client.HTTPConnection(address, timeout=TIMEOUT_S)
    try:
        connection.request("GET", "/v2/health/ready")
        response = connection.getresponse()
        response.read()
        if response.status != http.client.OK:
            return f"not ready (status {response.status})"
        tensor = {"name": "TEXT", "datatype": "BYTES", "shape": [1, 1], "data": [[TEXT]]}
        outputs = [{"name": "DECISION"}]
        body = json.dumps({"inputs": [tensor], "outputs": outputs})
        connection.request("POST", "/v2/models/chat_router/infer", body)
        response = connection.getresponse()
        answer = json.loads(response.read())
        if response.status != http.client.OK:
            return f"cannot route: {answer.get('error', f'status {response.status}')}"
        decision = json.loads(answer["outputs"][0]["data"][0])
        errors = decision["errors"]
    except (OSError, http.client.HTTPException, ValueError, LookupError) as error:
        return f"no answer from {address}: {error!r}"
    finally:
        connection.close()
    return f"checks did not run: {', '.join(errors)}" if errors else None


def main() -> int:
    """Print the reason and return 1 when the server is not healthy."""
    reason = unhealthy_because(sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:8000")
    if reason is not None:
        print(reason, file=sys.stderr)
    return int(reason is not None)


if __name__ == "__main__":
    sys.exit(main())
