"""Training pairs made batch by batch with torch, on the device that trains: no worker keeps an accelerator waiting."""
