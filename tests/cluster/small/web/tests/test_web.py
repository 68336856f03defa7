import json
import unittest
import urllib.request
from pathlib import Path


class WebTest(unittest.TestCase):
    def test_everything_answers(self):
        Path("/tmp/report.txt").write_text("ran")
        with urllib.request.urlopen("http://127.0.0.1:8600/", timeout=10) as answer:
            got = json.load(answer)
        self.assertEqual(got, {"greeting": "hello", "redis": "+PONG", "payments": {"charged": True}})
