from mcport import McportError


def show(error: type[BaseException], depth: int = 0) -> None:
    print("    " * depth + error.__name__)
    for each in error.__subclasses__():
        if each.__module__ == McportError.__module__:
            show(each, depth + 1)


show(McportError)
