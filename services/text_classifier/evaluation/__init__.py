"""How well a model, the rules, or both side by side read labelled texts."""
