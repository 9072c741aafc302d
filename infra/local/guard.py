"""Decides which requests reach the emulator, which itself accepts every request.

A request must come from a program, not from a web page; it must name this machine as its host; and it must be signed
with this run's access key. The key id is the account's 12 digits followed by the run's token, which is the secret. The
guard compares the token and removes it, so that the emulator receives only the account. It doesn't verify signatures.

Once the stack is complete, the guard is sealed: it accepts requests on the stack's images, records and messages, and
rejects every request that would create or change a resource.
"""

import hmac
import html
import json
import logging
import re
from urllib.parse import parse_qsl

# Normal use never reaches this number; a page that floods the port must not fill the disk.
REFUSALS_LOGGED = 1000

# The path at which the guard itself reports whether the emulator is ready, and which commands it has executed.
STATE_PATH = "/_balancer/state"

METHODS = {"GET", "HEAD", "PUT", "POST", "DELETE"}

AUTHORIZATION = re.compile(
    rb"(AWS4-HMAC-SHA256 +Credential=[0-9]{12})([0-9a-f]+)"
    rb"(/[0-9]{8}/[a-z0-9-]+/([a-z0-9-]+)/aws4_request, *SignedHeaders=[a-z0-9;-]+, *Signature=[0-9a-f]+)"
)

# The guard and the emulator could interpret a second header of these names differently.
SINGLE_HEADERS = (b"host", b"authorization", b"x-amz-target")

# The allowed operations of the services that name the operation in a header, once the guard is sealed.
OPERATIONS = {
    "dynamodb": {
        f"DynamoDB_20120810.{operation}"
        for operation in (
            "BatchGetItem", "BatchWriteItem", "DeleteItem", "DescribeTable", "GetItem", "ListTables", "PutItem",
            "Query", "Scan", "TransactGetItems", "TransactWriteItems", "UpdateItem",
        )
    },
    "sqs": {
        f"AmazonSQS.{operation}"
        for operation in (
            "ChangeMessageVisibility", "ChangeMessageVisibilityBatch", "DeleteMessage", "DeleteMessageBatch",
            "GetQueueAttributes", "GetQueueUrl", "ListQueues", "ReceiveMessage", "SendMessage", "SendMessageBatch",
        )
    },
    "logs": {
        f"Logs_20140328.{operation}"
        for operation in ("DescribeLogGroups", "DescribeLogStreams", "FilterLogEvents", "GetLogEvents")
    },
}

FUNCTION = r"/2015-03-31/functions/[A-Za-z0-9_:%-]+"
LAMBDA = {
    "GET": re.compile(rf"/2015-03-31/functions/?|{FUNCTION}(/configuration)?|/2015-03-31/event-source-mappings/?"),
    "POST": re.compile(rf"{FUNCTION}/invocations"),
}

# The query parameters with which clients write S3 objects; other parameters change the state of a bucket.
OBJECT_QUERIES = {
    "PUT": {"x-id", "partNumber", "uploadId"},
    "DELETE": {"x-id", "versionId", "uploadId"},
    "POST": {"x-id", "uploads", "uploadId"},
}


class Refused(Exception):
    """The guard rejects the request."""

    def __init__(self, status, reason):
        super().__init__(reason)
        self.status, self.reason = status, reason


class Guard:
    """An ASGI application that wraps the emulator's application."""

    def __init__(self, token, host, port):
        self.token = token.encode()
        self.host, self.port = host, port
        self.app = None
        self.is_ready = None
        # What the guard reports at its path: the last command that was executed, or its failure.
        self.state = "open"
        self.buckets = None
        self.refusals = 0
        self.log = logging.getLogger("guard")

    def seal(self, buckets):
        """Forbids changes to resources. Objects stay accessible in these buckets; a later seal adds buckets."""
        self.buckets = (self.buckets or set()) | set(buckets)
        self.state = "sealed"

    async def __call__(self, scope, receive, send):
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
        elif scope["type"] == "websocket":
            # The emulator has no websockets, but browsers may open one to any host.
            self.note(403, scope, "websocket")
            await receive()
            await send({"type": "websocket.close", "code": 1008})
        else:
            await self.answer(scope, receive, send)

    async def answer(self, scope, receive, send):
        try:
            admitted = self.admit(scope)
        except Refused as refused:
            self.note(refused.status, scope, refused.reason)
            await reject(send, scope, refused)
            return
        if scope["path"] == STATE_PATH:
            await respond(send, 200 if self.is_ready() else 503, self.state)
            return
        await self.app(admitted, receive, without_cors(send))

    def admit(self, scope):
        """Checks a request. Returns it in the form for the emulator."""
        if scope["http_version"] not in ("1.0", "1.1") or scope["method"] not in METHODS:
            raise Refused(403, "this kind of request is not supported")
        if not scope["raw_path"].startswith(b"/"):
            raise Refused(421, "the request names another server")
        headers = [(name.lower(), value) for name, value in scope["headers"]]
        for name, _ in headers:
            if name == b"origin" or name.startswith((b"sec-", b"access-control-")):
                raise Refused(403, "web pages have no access")
        single = {}
        for name, value in headers:
            if name in SINGLE_HEADERS:
                if name in single:
                    raise Refused(403, f"there is more than one {name.decode()} header")
                single[name] = value
        self.check_host(single.get(b"host", b""), scope["server"])
        credential = self.check_credential(single.get(b"authorization"), scope["query_string"])
        # These are the emulator's own endpoints, such as its reset, its settings and the functions' code.
        if scope["path"].startswith("/_") and not (scope["path"] == STATE_PATH and scope["method"] == "GET"):
            raise Refused(403, "the emulator's own endpoints are closed")
        if self.buckets is not None and scope["path"] != STATE_PATH:
            self.check_sealed(scope, credential.group(4).decode(), single.get(b"x-amz-target"))
        headers = [pair for pair in headers if pair[0] != b"authorization"]
        headers.append((b"authorization", credential.group(1) + credential.group(3)))
        return {**scope, "headers": headers}

    def check_host(self, host, server):
        """A page that reaches this port by DNS rebinding still sends its own host name."""
        names = {"127.0.0.1", "localhost", "[::1]", "host.docker.internal", self.host}
        # If the emulator listens on all addresses, a client names the address to which it has connected.
        if server:
            names.add(server[0])
        hosts = {f"{name}:{self.port}" for name in names}
        if self.port == 80:
            hosts |= names
        if host.decode("latin-1").lower() not in hosts:
            raise Refused(421, f"the host must be an address of this machine, such as 127.0.0.1:{self.port}")

    def check_credential(self, authorization, query):
        for name, _ in parse_qsl(query.decode("latin-1"), keep_blank_values=True):
            if name.lower().startswith("x-amz-") or name in ("AWSAccessKeyId", "Signature"):
                raise Refused(403, "presigned addresses are not accepted: they would contain the stack's access key")
        match = AUTHORIZATION.fullmatch(authorization or b"")
        if not match or not hmac.compare_digest(match.group(2), self.token):
            raise Refused(403, "the request is not signed with this stack's access key; `balancer env` prints it")
        return match

    def check_sealed(self, scope, service, target):
        method, path = scope["method"], scope["raw_path"].decode("latin-1")
        query = {name for name, _ in parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)}
        if target is not None:
            allowed = (
                method == "POST" and path == "/" and not query
                and target.decode("latin-1") in OPERATIONS.get(service, ())
            )
        elif service == "lambda":
            allowed = method in LAMBDA and LAMBDA[method].fullmatch(path)
        else:
            allowed = service == "s3" and self.is_about_objects(method, path, query)
        if not allowed:
            raise Refused(403, "the stack is complete: only its images, records and messages can be changed")

    def is_about_objects(self, method, path, query):
        if path == "/":
            return method == "GET"
        bucket, _, key = path[1:].partition("/")
        if bucket not in self.buckets:
            return False
        if method in ("GET", "HEAD"):
            return True
        if not key:
            return method == "POST" and query <= {"delete", "x-id"}
        return query <= OBJECT_QUERIES[method] and (method != "POST" or bool(query - {"x-id"}))

    def note(self, status, scope, reason):
        """Logs neither the query nor a header: they may contain a key."""
        self.refusals += 1
        if self.refusals <= REFUSALS_LOGGED:
            path = scope["raw_path"][:200].decode("latin-1")
            self.log.warning("refused %d %s %r: %s", status, scope.get("method", "GET"), path, reason)
        if self.refusals == REFUSALS_LOGGED:
            self.log.warning("refused %d requests; further ones are not logged", self.refusals)


def without_cors(send):
    """Removes the headers that would let a web page read a response."""

    async def send_on(message):
        if "headers" in message:
            headers = [pair for pair in message["headers"] if not pair[0].lower().startswith(b"access-control-")]
            message = {**message, "headers": headers}
        await send(message)

    return send_on


async def reject(send, scope, refused):
    """Rejects a request in the form that the SDKs for DynamoDB, SQS and S3 read, so their errors show the reason."""
    names = {name.lower() for name, _ in scope["headers"]}
    if b"x-amz-target" in names:
        error = json.dumps({"__type": "AccessDeniedException", "message": refused.reason})
        await respond(send, refused.status, error, b"application/x-amz-json-1.0")
    elif b"x-amz-content-sha256" in names:
        error = f"<Error><Code>AccessDenied</Code><Message>{html.escape(refused.reason, quote=False)}</Message></Error>"
        await respond(send, refused.status, error, b"application/xml")
    else:
        await respond(send, refused.status, f"refused: {refused.reason}\n")


async def respond(send, status, text, content_type=b"text/plain"):
    body = text.encode()
    headers = [(b"content-type", content_type), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
