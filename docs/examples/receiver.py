"""A department's endpoint: `pip install standardwebhooks`, then `WEBHOOK_SECRET=whsec_... python receiver.py`."""

import json
import os
from http.server import BaseHTTPRequestHandler, HTTPServer

from standardwebhooks import Webhook, WebhookVerificationError

webhook = Webhook(os.environ["WEBHOOK_SECRET"])
done: set[str] = set()  # in real life a table, written in the transaction that does the work


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        try:
            event = webhook.verify(body, dict(self.headers))
        except WebhookVerificationError as error:
            self.answer(401, str(error))
            return
        if self.headers["webhook-id"] not in done:  # the same in every attempt
            self.take(event)
            done.add(self.headers["webhook-id"])
        self.answer(200)

    def take(self, event: dict[str, object]) -> None:
        print(event["sequence"], event["type"], json.dumps(event["data"], ensure_ascii=False), flush=True)

    def answer(self, status: int, reason: str = "") -> None:
        self.send_response(status)
        self.end_headers()
        self.wfile.write(reason.encode())


HTTPServer(("127.0.0.1", int(os.environ.get("PORT", "8081"))), Receiver).serve_forever()
