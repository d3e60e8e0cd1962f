"""How well label queries find images: the original project's protocol, and an honest one."""
