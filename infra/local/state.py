"""Keeps the data of a stack in a directory, so that the next emulator can continue with it.

The emulator itself has its data in memory only. Each write to the table or the bucket is stored here before its
response is sent, so a client that has seen the response can rely on it, even if all processes are killed. Nothing
protects the data from a power failure.

    records.jsonl    one line for each write to the table: the keys that it wrote, and the items as they are afterwards
    objects/         one file for each object of the bucket: a line with its metadata, then its content

The names of the table and the bucket do not appear, because every emulator gives them other ones. The queues are not
kept.
"""

import asyncio
import fcntl
import hashlib
import json
import logging
import os

KEY = ("pk", "sk")

# The leases of the previous emulator's workers, which have ended with it.
LEASE = ("lease_token", "lease_until")

# The journal is rewritten when it has this size, and several times the size that it had afterwards.
COMPACTED_FROM = 64 << 20
GROWTH = 4

log = logging.getLogger("state")


class Records:
    """The journal of the table."""

    def __init__(self, directory, table):
        self.path = os.path.join(directory, "records.jsonl")
        self.table = table
        self.execute = None
        self.journal = None
        # A write and its line must have the same order.
        self.order = asyncio.Lock()
        self.size = self.compacted = 0

    async def restore(self, dynamodb):
        """Writes the kept items into the table, and keeps all later writes."""
        self.execute = dynamodb.handle_request
        self.compact(without=LEASE)
        for _, item in read_lines(self.path):
            await self.call("PutItem", {"Item": item})
        dynamodb.handle_request = self.handle_request

    async def handle_request(self, method, path, headers, body, query):
        operation = headers.get("x-amz-target", "").rpartition(".")[2]
        if operation not in WRITTEN:
            return await self.execute(method, path, headers, body, query)
        async with self.order:
            answer = await self.execute(method, path, headers, body, query)
            if answer[0] == 200:
                await self.keep(list(WRITTEN[operation](json.loads(body))))
        return answer

    async def keep(self, written):
        """Appends the present items of these keys to the journal, in one line, so that none is kept without the others."""
        line = []
        for table, key in written:
            if table == self.table:
                key = {name: key[name] for name in KEY}
                found = await self.call("GetItem", {"Key": key, "ConsistentRead": True})
                line.append([key, found.get("Item")])
        if not line or self.journal is None:
            return
        try:
            line = encoded(line)
            if os.write(self.journal, line) < len(line):
                raise OSError("only a part of a line was written")
            self.size += len(line)
            if self.size > max(COMPACTED_FROM, GROWTH * self.compacted):
                self.compact()
        except OSError as error:
            # Without this line, later ones would describe a table that never existed.
            log.error("%s can't be written (%s): later records are not kept", self.path, error)
            self.journal = None

    async def call(self, operation, request):
        headers = {"x-amz-target": f"DynamoDB_20120810.{operation}"}
        body = json.dumps({"TableName": self.table, **request}).encode()
        status, _, answer = await self.execute("POST", "/", headers, body, {})
        if status != 200:
            raise ValueError(f"{operation} failed: {answer}")
        return json.loads(answer)

    def compact(self, without=()):
        """Replaces the journal by one that describes only the present items."""
        items = {}
        for key, item in read_lines(self.path):
            items[tuple(key[name]["S"] for name in KEY)] = item
        new = f"{self.path}.new"
        with open(new, "wb") as file:
            for item in items.values():
                if item is not None:
                    item = {name: value for name, value in item.items() if name not in without}
                    file.write(encoded([[{name: item[name] for name in KEY}, item]]))
        os.replace(new, self.path)
        journal = os.open(self.path, os.O_WRONLY | os.O_APPEND)
        if self.journal is not None:
            os.close(self.journal)
        self.journal = journal
        self.size = self.compacted = os.path.getsize(self.path)


def encoded(line):
    return json.dumps(line, separators=(",", ":")).encode() + b"\n"


def read_lines(path):
    """The keys and items of a journal, in order. A last line without an end was being written when the emulator was
    killed: its request has not been answered."""
    if os.path.exists(path):
        with open(path, "rb") as file:
            for line in file:
                if line.endswith(b"\n"):
                    yield from json.loads(line)


def written_in_batch(request):
    for table, writes in request["RequestItems"].items():
        for write in writes:
            yield table, write["PutRequest"]["Item"] if "PutRequest" in write else write["DeleteRequest"]["Key"]


def written_in_transaction(request):
    for write in request["TransactItems"]:
        for operation, part in write.items():
            if operation != "ConditionCheck":
                yield part["TableName"], part["Item"] if operation == "Put" else part["Key"]


# The operations that write items: each yields the tables and keys that a request writes.
WRITTEN = {
    "PutItem": lambda request: [(request["TableName"], request["Item"])],
    "UpdateItem": lambda request: [(request["TableName"], request["Key"])],
    "DeleteItem": lambda request: [(request["TableName"], request["Key"])],
    "BatchWriteItem": written_in_batch,
    "TransactWriteItems": written_in_transaction,
}


class Objects:
    """The copy of the bucket. Only a restart reads it: while the emulator runs, the objects are in memory too, because
    the directory may lie on a disk that is removed."""

    def __init__(self, directory, bucket):
        self.parent = directory
        self.directory = os.path.join(directory, "objects")
        self.bucket = bucket
        self.metadata = None

    def restore(self, s3):
        os.makedirs(self.directory, mode=0o700, exist_ok=True)
        objects = s3._buckets[self.bucket]["objects"]
        for name in os.listdir(self.directory):
            path = os.path.join(self.directory, name)
            if name.endswith(".new"):
                os.remove(path)
                continue
            with open(path, "rb") as file:
                kept = json.loads(file.readline())
                objects[kept["key"]] = {**kept["object"], "body": file.read()}
        self.metadata = s3._object_meta_from_record
        # The emulator calls these functions after each change of an object, before it responds.
        s3.S3_PERSIST, s3._persist_object, s3._delete_persisted_object = True, self.keep, self.forget

    def keep(self, bucket, key, record):
        if bucket != self.bucket or not os.path.isdir(self.parent):
            return
        path = self.path(key)
        kept = self.metadata(record)
        # Without versioning the emulator expects no version.
        kept.pop("version_id")
        try:
            with open(f"{path}.new", "wb") as file:
                file.write(encoded({"key": key, "object": kept}))
                file.write(record["body"])
            os.replace(f"{path}.new", path)
        except OSError as error:
            log.error("the object %s can't be kept: %s", key, error)

    def forget(self, bucket, key):
        if bucket == self.bucket:
            try:
                os.remove(self.path(key))
            except FileNotFoundError:
                pass
            except OSError as error:
                log.error("the copy of the object %s can't be removed: %s", key, error)

    def path(self, key):
        # A key may be too long for a file's name, and file systems may not distinguish two of them.
        return os.path.join(self.directory, hashlib.sha256(key.encode()).hexdigest())


async def keep_state(account, directory, table, bucket):
    """Restores the data in this directory, and keeps all later changes of this account's table and bucket there."""
    from ministack.core.responses import set_request_account_id
    from ministack.services import dynamodb, s3

    set_request_account_id(account)
    # The previous emulator may still be ending.
    lock = os.open(directory, os.O_RDONLY)
    await asyncio.to_thread(fcntl.flock, lock, fcntl.LOCK_EX)
    Objects(directory, bucket).restore(s3)
    await Records(directory, table).restore(dynamodb)
