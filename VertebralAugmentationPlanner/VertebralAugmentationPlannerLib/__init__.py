"""Planning of vertebral augmentation from CT and vertebra labels. World coordinates are RAS, mm."""

__version__ = "0.1.0"
