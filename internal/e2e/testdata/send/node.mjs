// npm install svix
import { Svix } from "svix";

const svix = new Svix(process.env.CALLBOARD_TOKEN, { serverUrl: "http://callboard.test" });

await svix.message.create("app_of_the_sample", {
  eventType: "sample.sent",
  payload: {
    "who": "it's \"me\" & <you> \\ $HOME – ü 😀",
    "lines": "one\ntwo\ttabs",
    "n": 49.9,
    "big": 1e+21,
    "none": null,
    "yes": true,
    "list": [
      false,
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
});
