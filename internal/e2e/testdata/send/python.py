# pip install svix
import os

from svix.api import MessageIn, Svix, SvixOptions

svix = Svix(os.environ["CALLBOARD_TOKEN"], SvixOptions(server_url="http://callboard.test"))

svix.message.create("app_of_the_sample", MessageIn(
    event_type="sample.sent",
    payload={
        "who": "it's \"me\" & <you> \\ $HOME – ü 😀",
        "lines": "one\ntwo\ttabs",
        "n": 49.9,
        "big": 1e+21,
        "none": None,
        "yes": True,
        "list": [
            False,
            [],
            {
                "deep": [
                    1,
                    "two",
                ],
            },
        ],
        "empty": {},
    },
))
