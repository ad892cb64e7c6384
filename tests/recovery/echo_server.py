"""A JSON-RPC server of the standard library: answers each request at once; `--talk` makes it write to stderr too."""

import json
import sys


def main() -> None:
    for line in sys.stdin.buffer:
        request = json.loads(line)
        if "--talk" in sys.argv:
            sys.stderr.write(f"asked for {request['id']}\n")
            sys.stderr.flush()
        result = {"content": [{"type": "text", "text": request["params"]["arguments"]["text"]}]}
        answer = {"jsonrpc": "2.0", "id": request["id"], "result": result}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


main()
