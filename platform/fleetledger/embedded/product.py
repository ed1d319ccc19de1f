"""The command lines of everything that the supervisor brings up."""

from fleetledger.embedded import parts, python


class Product:
    """The command lines of what is brought up; a test puts its own in their place."""

    def prepare(self) -> list[str]:
        return python.command("prepare")

    def web(self, host: str, port: int) -> list[str]:
        return parts.web_command(host, port)

    def workers(self) -> dict[str, list[str]]:
        """A worker for telemetry beside one for bills: a long import holds up no pull."""
        queues = {"telemetry": "telemetry,default", "bills": "bills,default"}
        return {name: parts.worker_command(name, queues=wanted, concurrency=1) for name, wanted in queues.items()}

    def beat(self) -> list[str]:
        return parts.beat_command()

    def notifier(self) -> list[str]:
        return python.command("notifier")

    def demo_world(self, port: int) -> list[str]:
        return python.command("demo-world", "--port", str(port))

    def demo_seed(self, port: int) -> list[str]:
        return python.command("demo-seed", "--port", str(port))

    def demo_alerts(self) -> list[str]:
        return python.command("demo-alerts")
