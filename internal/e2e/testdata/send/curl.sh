curl http://callboard.test/api/v1/app/app_of_the_sample/msg \
  -H "Authorization: Bearer $CALLBOARD_TOKEN" \
  -H 'Content-Type: application/json' \
  --data-raw '{
  "eventType": "sample.sent",
  "payload": {
    "who": "it'\''s \"me\" & <you> \\ $HOME – ü 😀",
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
          "two"
        ]
      }
    ],
    "empty": {}
  }
}'
