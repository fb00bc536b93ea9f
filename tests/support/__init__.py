"""What tests share: fakes at our own seams, factories, and what the machine must offer."""
