"""mongo_say.py PORT JSON: one command to the database admin of a mongod on loopback; its answer as JSON. The commands that the harness needs
hold texts, whole numbers, lists and objects only; of the answer, what else there is comes as null."""
import json
import socket
import struct
import sys


def encode(document):
    out = b""
    items = enumerate(document) if isinstance(document, list) else document.items()
    for key, value in items:
        name = str(key).encode() + b"\0"
        if isinstance(value, bool):
            out += b"\x08" + name + bytes([value])
        elif isinstance(value, int):
            out += b"\x10" + name + struct.pack("<i", value)
        elif isinstance(value, str):
            text = value.encode() + b"\0"
            out += b"\x02" + name + struct.pack("<i", len(text)) + text
        else:
            out += (b"\x04" if isinstance(value, list) else b"\x03") + name + encode(value)
    return struct.pack("<i", len(out) + 5) + out + b"\0"


SIZES = {1: 8, 6: 0, 7: 12, 8: 1, 9: 8, 10: 0, 16: 4, 17: 8, 18: 8, 19: 16, 127: 0, 255: 0}


def decode(data, array=False):
    out, at = {}, 4
    while data[at]:
        kind, end = data[at], data.index(b"\0", at + 1)
        key, at = data[at + 1:end].decode(), end + 1
        if kind == 2:
            size = struct.unpack_from("<i", data, at)[0]
            value, at = data[at + 4:at + 3 + size].decode(), at + 4 + size
        elif kind in (3, 4):
            size = struct.unpack_from("<i", data, at)[0]
            value, at = decode(data[at:at + size], kind == 4), at + size
        elif kind == 5:
            value, at = None, at + 5 + struct.unpack_from("<i", data, at)[0]
        else:
            form = {1: "<d", 8: "<?", 16: "<i", 18: "<q"}.get(kind)
            value, at = struct.unpack_from(form, data, at)[0] if form else None, at + SIZES[kind]
        out[key] = value
    return list(out.values()) if array else out


def say(port, command):
    body = b"\0\0\0\0\0" + encode({**command, "$db": "admin"})
    with socket.create_connection(("127.0.0.1", port), timeout=30) as wire:
        wire.sendall(struct.pack("<iiii", len(body) + 16, 1, 0, 2013) + body)
        data = b""
        while len(data) < 4 or len(data) < struct.unpack_from("<i", data)[0]:
            piece = wire.recv(65536)
            if not piece:
                raise EOFError("the server closed the connection")
            data += piece
    return decode(data[21:])


if __name__ == "__main__":
    answer = say(int(sys.argv[1]), json.loads(sys.argv[2]))
    print(json.dumps(answer))
    sys.exit(answer.get("ok") != 1)
