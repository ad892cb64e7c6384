"""Data that walks between real servers of one host: found with both its ends, and ordinary work stays quiet."""

import base64
import json
import random
import string

import pytest

HIGH = ("high", "critical")
SHAPES = {  # what a file holds, and how its reader sends it on
    "by its form": lambda word: ("ghp_" + word + word[:6], "{}"),
    "by its name": lambda word: (word[:20] + "-" + word[20:], "DB_PASSWORD={}"),
    "nothing tells it": lambda word: (f"Zebra-44{word[:14]}", "our word is {} this week"),
}
WAYS = {
    "plain": lambda secret: [f"remember {secret} for me"],
    "base64": lambda secret: [base64.b64encode(f"it is {secret}".encode()).decode()],
    "percent": lambda secret: ["".join(f"%{ord(char):02x}" for char in secret)],
    "two arguments": lambda secret: [secret[:13], secret[13:]],
}
PATH = "reports/2026/q3_summary_v2_final_0044.txt"
ID = "6f1c2d3e-4a5b-4c6d-8e9f-0a1b2c3d4e5f"


@pytest.fixture(scope="module")
def walked(recorder, npm, tmp_path_factory):
    """A filesystem server was read, and a memory server told: all findings, and what was sent, by request."""
    place, made = tmp_path_factory.mktemp("walked"), random.Random(7)
    secrets = {
        (shape, way): SHAPES[shape]("".join(made.choices(string.ascii_letters + string.digits, k=30)))
        for shape in SHAPES
        for way in WAYS
    }
    for (shape, way), (secret, line) in secrets.items():
        (place / f"{shape} {way}.txt").write_text(line.format(secret))
    (place / "work.txt").write_text(f"see {place}/{PATH} and ticket {ID}, as you asked: buy figs and olives in Lisbon")

    async def told(read, write):
        async with recorder.client(read, write, mode="legacy") as client:
            arguments = {
                "entities": [{"name": "notes", "entityType": "x", "observations": ["buy figs and olives in Lisbon"]}]
            }
            await client.call_tool("create_entities", arguments)
            contents = [WAYS[way](secret) for (_, way), (secret, _) in secrets.items()]
            for content in (*contents, [f"{place}/{PATH}", ID], ["buy figs and olives in Lisbon, soon"]):
                added = {"observations": [{"entityName": "notes", "contents": content}]}
                assert not (await client.call_tool("add_observations", added)).is_error

    async def seen(read, write):
        async with recorder.client(read, write, mode="legacy") as client:
            for name in (*(f"{shape} {way}" for shape, way in secrets), "work"):
                await client.call_tool("read_text_file", {"path": str(place / f"{name}.txt")})

    _, reader = recorder.play([npm("mcp-server-filesystem"), str(place)], seen)
    environment = {"MEMORY_FILE_PATH": str(place / "memory.jsonl")}
    _, taker = recorder.play([npm("mcp-server-memory")], told, environment)
    calls = [row["seq"] for row in taker.exchanges if row["target"] == "add_observations"]
    found = recorder.query("select * from findings where detector in ('flow', 'credentials')")
    by_call = [[row for row in found if row["run_id"] == taker.run["run_id"] and row["seq"] == seq] for seq in calls]
    return reader, dict(zip([*secrets, "names", "own words"], by_call, strict=True))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("shape", SHAPES)
def test_a_secret_that_one_server_read_and_another_was_given_is_one_finding_with_both_ends(walked, shape, way):
    reader, found = walked
    (one,) = found[shape, way]
    told = json.loads(one["details"]) if isinstance(one["details"], str) else one["details"]
    asked = [row["seq"] for row in reader.exchanges if row["method"] == "tools/call"]
    place = list(found).index((shape, way))
    assert (told["from"]["run_id"], told["to"]["target"]) == (reader.run["run_id"], "add_observations")
    assert told["from"]["seq"] == asked[place] + 1
    assert one["severity"] in (HIGH if shape != "nothing tells it" or way != "plain" else ("low",))


@pytest.mark.parametrize("what", ["names", "own words"])
def test_paths_ids_and_what_was_asked_for_may_go_from_one_server_to_another(walked, what):
    _, found = walked
    assert [row for row in found[what] if row["severity"] != "info"] == []
