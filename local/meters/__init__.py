"""What AWS's services say of themselves in CloudWatch, and the local ones do not."""
