from mcport import sync

with sync.Client("calculator.py") as client:
    for tool in client.each_tool():
        print(tool.name, "-", tool.description)
    print(client.call_tool("add", {"a": 2, "b": 40}).data)

    call = client.start_tool("add", {"a": 1, "b": 1})
    print(call.result().data)
