"""As much of a W&B server as the tests need, in this process: it keeps the runs that are synced and the views."""

import contextlib
import gzip
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

KEY = "0" * 40
OWNER = {"id": "e", "name": "me"}


@dataclass
class Run:
    """A run as the server has it."""

    history: dict[int, dict[str, Any]] = field(default_factory=dict)
    summary: dict[str, Any] = field(default_factory=dict)
    fields: dict[str, Any] = field(default_factory=dict)
    files: set[str] = field(default_factory=set)


class Handler(BaseHTTPRequestHandler):
    """Answers what the client asks, as far as it must know it."""

    protocol_version = "HTTP/1.1"
    runs: dict[str, Run]
    views: list[dict[str, Any]]
    url: str

    def log_message(self, *_: Any) -> None:
        """Be quiet."""

    def handle(self) -> None:
        """Answer until the client goes, which it need not announce."""
        with contextlib.suppress(ConnectionError):
            super().handle()

    def do_PUT(self) -> None:
        self._body()
        self._answer({})

    def do_POST(self) -> None:
        body = self._body()
        if self.path.endswith("/graphql"):
            asked = json.loads(body)
            self._answer({"data": self._graphql(asked["query"], asked.get("variables") or {})})
            return
        if self.path.endswith("/file_stream"):
            run = self.runs.setdefault(self.path.split("/")[-2], Run())
            for name, file in (json.loads(body).get("files") or {}).items():
                lines = [json.loads(line) for line in file["content"]] if name.endswith(("y.jsonl", "y.json")) else []
                if name == "wandb-history.jsonl":
                    run.history |= {file["offset"] + index: line for index, line in enumerate(lines)}
                elif name == "wandb-summary.json":
                    run.summary = lines[-1]
        self._answer({})

    def _body(self) -> bytes:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        return gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body

    def _answer(self, answer: Any) -> None:
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _graphql(self, query: str, given: dict[str, Any]) -> dict[str, Any]:
        project = {"id": "p", "name": given.get("project"), "entity": OWNER}
        if "upsertBucket" in query:
            known = given["name"] in self.runs
            run = self.runs.setdefault(given["name"], Run())
            run.fields |= {name: value for name, value in given.items() if value is not None}
            bucket = {"id": "b", "name": given["name"], "displayName": "", "config": "{}", "project": project}
            return {"upsertBucket": {"bucket": {**bucket, "historyLineCount": len(run.history)}, "inserted": not known}}
        if "RunResumeStatus" in query:
            return {"model": {**project, "bucket": self._resumed(given["name"])}}
        if "createRunFiles" in query:
            self.runs[given["run"]].files |= set(given["files"])
            files = [{"name": name, "uploadUrl": f"{self.url}/storage/{name}"} for name in given["files"]]
            return {"createRunFiles": {"runID": "r", "uploadHeaders": [], "files": files}}
        if "upsertView" in query:
            self.views.append(given)
            return {"upsertView": {"view": {"id": "v", "name": given["name"]}, "inserted": True}}
        return {"viewer": {**OWNER, "entity": "me", "username": "me", "flags": "{}", "teams": {"edges": []}}}

    def _resumed(self, name: str) -> dict[str, Any] | None:
        if (run := self.runs.get(name)) is None:
            return None
        tail = [json.dumps(run.history[max(run.history)])] if run.history else []
        return {
            **{"id": "b", "name": name, "displayName": "", "config": "{}", "tags": run.fields.get("tags"), "notes": ""},
            **{"summaryMetrics": json.dumps(run.summary), "wandbConfig": json.dumps({"t": 1}), "eventsTail": "[]"},
            **{"historyTail": json.dumps(tail), "historyLineCount": len(run.history)},
            **{"logLineCount": 0, "eventsLineCount": 0},
        }


@contextlib.contextmanager
def wandb_server() -> Iterator[tuple[str, dict[str, Run], list[dict[str, Any]]]]:
    """Serve; give the address, the runs by their ids, and the views of the workspaces."""
    handler = type("OneServer", (Handler,), {"runs": {}, "views": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    handler.url = f"http://127.0.0.1:{server.server_port}"  # type: ignore[attr-defined]  # it is a Handler's
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield handler.url, handler.runs, handler.views  # type: ignore[attr-defined]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
